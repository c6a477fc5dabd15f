{{ config(materialized='table') }}

with ranked as (

    select
        stated.*,
        row_number() over (
            partition by stated.symbol, stated.broker, stated.target_date
            order by feed.priority, feed.feed
        ) as feed_rank
    from {{ ref('stg_target_price') }} as stated
    inner join {{ source('raw', 'feed') }} as feed
        on stated.feed = feed.feed

),

chosen as (

    select * from ranked
    where feed_rank = 1

),

-- A target stated on a day without trading is measured against the close that was known then.
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
