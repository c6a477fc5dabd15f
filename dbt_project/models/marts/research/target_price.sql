{{ config(materialized='table') }}

with chosen as (

    {{ from_best_feed(ref('stg_target_price'), ['symbol', 'broker', 'target_date']) | indent(4) }}

),

-- A target published on a day without trading is measured against the last close before it.
last_session as (

    select
        chosen.symbol,
        chosen.target_date,
        max(performance.trade_date) as close_date
    from chosen
    inner join {{ ref('security_performance') }} as performance
        on
            chosen.symbol = performance.symbol
            and chosen.target_date >= performance.trade_date
    group by chosen.symbol, chosen.target_date

)

select
    chosen.target_date,
    chosen.symbol,
    performance.name,
    chosen.broker,
    chosen.target,
    chosen.currency,
    performance.trade_date as close_date,
    performance.close,
    case
        when chosen.currency = performance.currency
            then {{ pct_change('chosen.target', 'performance.close') }}
    end as upside_pct,
    lag(chosen.target) over by_date as previous_target,
    lead(chosen.target_date) over by_date is null as is_latest,
    chosen.feed
from chosen
left join last_session
    on
        chosen.symbol = last_session.symbol
        and chosen.target_date = last_session.target_date
left join {{ ref('security_performance') }} as performance
    on
        last_session.symbol = performance.symbol
        and last_session.close_date = performance.trade_date
window by_date as (partition by chosen.symbol, chosen.broker order by chosen.target_date)
