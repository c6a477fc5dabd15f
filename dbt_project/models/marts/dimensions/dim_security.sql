{{ config(materialized='table') }}

with traded as (

    select
        symbol,
        min(trade_date) as first_trade_date,
        max(trade_date) as last_trade_date
    from {{ ref('security_performance') }}
    group by symbol

),

latest as (

    select
        performance.symbol,
        performance.name,
        traded.first_trade_date,
        traded.last_trade_date
    from traded
    inner join {{ ref('security_performance') }} as performance
        on
            traded.symbol = performance.symbol
            and traded.last_trade_date = performance.trade_date

),

known as (

    select
        coalesce(reference.symbol, latest.symbol) as symbol,
        coalesce(reference.name, latest.name) as name,
        reference.industry,
        reference.reference_feed,
        latest.first_trade_date,
        latest.last_trade_date
    from {{ ref('int_security_reference') }} as reference
    full join latest
        on reference.symbol = latest.symbol

),

clock as (

    select max(to_date) as trade_date
    from {{ source('raw', 'asked_dates') }}

)

select
    known.symbol,
    known.name,
    market.market,
    market.region,
    known.industry,
    membership.sector,
    known.reference_feed,
    known.first_trade_date,
    known.last_trade_date
from known
cross join clock
inner join {{ ref('market') }} as market
    on {{ market_of_security('known.symbol') }} = market.market
left join {{ ref('int_security_sector') }} as membership
    on
        known.symbol = membership.symbol
        and clock.trade_date between membership.valid_from and membership.valid_to
