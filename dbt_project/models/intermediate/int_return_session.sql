with session as (

    select * from {{ ref('stg_known_session') }}

),

-- Every session, and beside the sessions the days a year before each.
dated as (

    select
        market,
        trade_date as dated,
        trade_date as session_date,
        cast(null as date) as year_after
    from session

    union all

    select
        market,
        cast({{ dbt.dateadd('year', -1, 'trade_date') }} as date) as dated,
        cast(null as date) as session_date,
        trade_date as year_after
    from session

),

latest as (

    select
        market,
        year_after,
        max(session_date) over (
            partition by market order by dated
            range between unbounded preceding and current row
        ) as year_ago
    from dated

),

period as (

    select
        -- The session before the first of the period.
        {% for part in ['week', 'month', 'quarter', 'year'] %}
            first_value(previous_trade_date) over (
                partition by market, {{ dbt.date_trunc(part, 'trade_date') }}
                order by trade_date
            ) as {{ part }}_before,
        {% endfor %}
        market,
        trade_date
    from session

)

select
    period.market,
    period.trade_date,
    period.week_before,
    period.month_before,
    period.quarter_before,
    period.year_before,
    latest.year_ago
from period
left join latest
    on
        period.market = latest.market
        and period.trade_date = latest.year_after
