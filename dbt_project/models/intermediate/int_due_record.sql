with feed as (

    select * from {{ source('raw', 'feed') }}

),

delivered as (

    select
        feed,
        market,
        trade_date,
        symbol,
        false as is_security
    from {{ ref('stg_index_close') }}

    union all

    select
        feed,
        market,
        trade_date,
        symbol,
        true as is_security
    from {{ ref('int_counted_security_close') }}

    union all

    select
        feed,
        market,
        trade_date,
        'turnover ' || segment as symbol,
        false as is_security
    from {{ ref('stg_market_turnover') }}

)

select
    delivered.feed,
    delivered.market,
    delivered.trade_date,
    delivered.symbol,
    delivered.is_security
from delivered
inner join feed
    on delivered.feed = feed.feed
where feed.due_by is not null
