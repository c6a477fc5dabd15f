{{ config(materialized='table') }}

{% set benchmarks = {'hong_kong': 'HSI', 'mainland': '000300.SH'} %}
{% set sessions_compared = 250 %}

with ranked as (

    select
        stated.*,
        basket.region,
        case basket.region
            {% for region, symbol in benchmarks.items() %}
                when '{{ region }}' then '{{ symbol }}'
            {% endfor %}
        end as benchmark,
        row_number() over (
            partition by stated.event_id, stated.event_date, stated.basket
            order by feed.priority, feed.feed
        ) as feed_rank
    from {{ ref('stg_market_event') }} as stated
    inner join {{ source('raw', 'feed') }} as feed
        on stated.feed = feed.feed
    left join {{ ref('basket') }} as basket
        on stated.basket = basket.basket

),

-- The markets of a region keep the same sessions; those of its benchmark stand for them.
benchmark_session as (

    select
        definition.symbol as benchmark,
        session.trade_date,
        session.session_number,
        asked.trade_date is not null as is_asked
    from {{ ref('stg_calendar') }} as session
    inner join {{ ref('index_definition') }} as definition
        on session.market = definition.market
    left join {{ ref('stg_session') }} as asked
        on
            session.market = asked.market
            and session.trade_date = asked.trade_date
    where definition.symbol in (select ranked.benchmark from ranked)

),

event as (

    select
        ranked.event_id,
        ranked.event_date,
        ranked.basket,
        ranked.region,
        ranked.benchmark,
        ranked.what,
        ranked.feed,
        min(benchmark_session.trade_date) as first_session,
        min(benchmark_session.session_number) as session_number
    from ranked
    left join benchmark_session
        on
            ranked.benchmark = benchmark_session.benchmark
            and ranked.event_date < benchmark_session.trade_date
    where ranked.feed_rank = 1
    group by
        ranked.event_id,
        ranked.event_date,
        ranked.basket,
        ranked.region,
        ranked.benchmark,
        ranked.what,
        ranked.feed

),

-- Every member counts the same, whatever else is known of the day, so that days can be compared.
relative_return as (

    select
        performance.sector as basket,
        benchmark_session.trade_date,
        benchmark_session.session_number,
        performance.change_pct_equal as basket_return_pct,
        benchmark.change_pct as benchmark_return_pct,
        round(performance.change_pct_equal - benchmark.change_pct, 6) as relative_return_pct
    from {{ ref('sector_performance') }} as performance
    inner join {{ ref('index_performance') }} as benchmark
        on performance.trade_date = benchmark.trade_date
    inner join benchmark_session
        on
            benchmark.symbol = benchmark_session.benchmark
            and benchmark.trade_date = benchmark_session.trade_date
    where
        performance.level = 'basket'
        and case performance.region
            {% for region, symbol in benchmarks.items() %}
                when '{{ region }}' then '{{ symbol }}'
            {% endfor %}
        end = benchmark.symbol

),

usual as (

    select
        event.event_id,
        event.event_date,
        event.basket,
        count(*) as sessions_known,
        percentile_cont(0.1) within group (order by before.relative_return_pct) as low,
        percentile_cont(0.9) within group (order by before.relative_return_pct) as high
    from event
    inner join relative_return as before
        on
            event.basket = before.basket
            and before.session_number
            between event.session_number - {{ sessions_compared }} and event.session_number - 1
    where before.relative_return_pct is not null
    group by event.event_id, event.event_date, event.basket

),

-- A range of a few months says little of what is usual.
judged as (

    select
        event.*,
        session.trade_date,
        reaction.basket_return_pct,
        reaction.benchmark_return_pct,
        reaction.relative_return_pct,
        coalesce(usual.sessions_known, 0) as sessions_known,
        case
            when usual.sessions_known * 2 >= {{ sessions_compared }} then round(usual.low, 6)
        end as usual_low_pct,
        case
            when usual.sessions_known * 2 >= {{ sessions_compared }} then round(usual.high, 6)
        end as usual_high_pct
    from event
    left join benchmark_session as session
        on
            event.benchmark = session.benchmark
            and event.first_session = session.trade_date
            and session.is_asked
    left join relative_return as reaction
        on
            event.basket = reaction.basket
            and event.first_session = reaction.trade_date
    left join usual
        on
            event.event_id = usual.event_id
            and event.event_date = usual.event_date
            and event.basket = usual.basket

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
from judged
