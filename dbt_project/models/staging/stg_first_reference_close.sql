with covered_session as (

    select * from {{ ref('stg_session') }}

),

source as (

    select * from {{ source('raw', 'security_close') }}
    where
        is_current
        and close is not null

),

first_session as (

    select
        market,
        min(trade_date) as trade_date,
        min(previous_trade_date) as previous_trade_date
    from covered_session
    group by market

)

select
    source.feed,
    source.symbol,
    first_session.trade_date,
    source.close
from source
inner join first_session
    on
        {{ market_of_security('source.symbol') }} = first_session.market
        and source.trade_date = first_session.previous_trade_date
