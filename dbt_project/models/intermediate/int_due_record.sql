-- A feed of which a delivery is due every session, a session and what it gave.
with received as (

    select
        feed,
        market,
        trade_date,
        symbol
    from {{ ref('stg_index_close') }}

    union all

    select
        feed,
        market,
        trade_date,
        symbol
    from {{ ref('stg_security_close') }}

    union all

    select
        feed,
        market,
        trade_date,
        'turnover ' || segment as symbol
    from {{ ref('stg_market_turnover') }}

)

select
    received.feed,
    received.market,
    received.trade_date,
    received.symbol
from received
inner join {{ source('raw', 'feed') }} as feed
    on received.feed = feed.feed
where feed.due_by is not null
