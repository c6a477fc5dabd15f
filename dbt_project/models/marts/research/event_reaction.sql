{{ config(materialized='table') }}

{% set sessions_compared = 250 %}

with market_event as (

    select * from {{ ref('int_market_event') }}

),

benchmark_session as (

    select * from {{ ref('int_benchmark_session') }}

),

relative_return as (

    select * from {{ ref('int_basket_relative_return') }}

),

first_session as (

    select
        market_event.event_id,
        market_event.event_date,
        market_event.basket,
        min(session.trade_date) as trade_date,
        min(session.session_number) as session_number
    from market_event
    left join benchmark_session as session
        on
            market_event.benchmark = session.benchmark
            and market_event.event_date < session.trade_date
    group by market_event.event_id, market_event.event_date, market_event.basket

),

usual_range as (

    select
        first_session.event_id,
        first_session.event_date,
        first_session.basket,
        count(*) as sessions_known,
        percentile_cont(0.1) within group (order by earlier.relative_return_pct) as low,
        percentile_cont(0.9) within group (order by earlier.relative_return_pct) as high
    from first_session
    inner join relative_return as earlier
        on
            first_session.basket = earlier.basket
            and earlier.session_number
            between first_session.session_number - {{ sessions_compared }}
            and first_session.session_number - 1
    where earlier.relative_return_pct is not null
    group by first_session.event_id, first_session.event_date, first_session.basket

),

measured as (

    select
        market_event.*,
        covered_session.trade_date,
        reaction.basket_return_pct,
        reaction.benchmark_return_pct,
        reaction.relative_return_pct,
        coalesce(usual_range.sessions_known, 0) as sessions_known,
        -- A range of a few months says little about what is usual.
        case
            when usual_range.sessions_known * 2 >= {{ sessions_compared }}
                then round(usual_range.low, 6)
        end as usual_low_pct,
        case
            when usual_range.sessions_known * 2 >= {{ sessions_compared }}
                then round(usual_range.high, 6)
        end as usual_high_pct
    from market_event
    inner join first_session
        on
            market_event.event_id = first_session.event_id
            and market_event.event_date = first_session.event_date
            and market_event.basket = first_session.basket
    left join benchmark_session as covered_session
        on
            market_event.benchmark = covered_session.benchmark
            and first_session.trade_date = covered_session.trade_date
            and covered_session.is_covered
    left join relative_return as reaction
        on
            market_event.basket = reaction.basket
            and first_session.trade_date = reaction.trade_date
    left join usual_range
        on
            market_event.event_id = usual_range.event_id
            and market_event.event_date = usual_range.event_date
            and market_event.basket = usual_range.basket

)

select
    trade_date,
    event_id,
    event_date,
    what,
    basket,
    region,
    benchmark,
    basket_return_pct,
    benchmark_return_pct,
    relative_return_pct,
    usual_low_pct,
    usual_high_pct,
    cast(sessions_known as integer) as sessions_known,
    relative_return_pct between usual_low_pct and usual_high_pct as is_muted,
    feed
from measured
