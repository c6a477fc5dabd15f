with levels as (

    select * from {{ ref('int_sector_index') }}

),

dated as (

    select
        *,
        cast({{ dbt.date_trunc('week', 'trade_date') }} as date) as week_start,
        cast({{ dbt.date_trunc('month', 'trade_date') }} as date) as month_start,
        cast({{ dbt.date_trunc('year', 'trade_date') }} as date) as year_start
    from levels
    {% if is_incremental() %}
        where trade_date >= {{ rebuild_from() }}
    {% endif %}

),

period as (

    {% for start in ['week_start', 'month_start', 'year_start'] %}
        select
            symbol,
            {{ start }} as period_start
        from dated

        {% if not loop.last %}
            union
        {% endif %}
    {% endfor %}

),

-- The level at the last session before a week, a month or a year began, at most three weeks before.
base as (

    select
        period.symbol,
        period.period_start,
        max_by(levels.index_level, levels.trade_date) as index_level
    from period
    inner join levels
        on
            period.symbol = levels.symbol
            and period.period_start > levels.trade_date
            and {{ dbt.dateadd('day', -21, 'period.period_start') }} <= levels.trade_date
    group by period.symbol, period.period_start

)

select
    dated.trade_date,
    dated.region,
    dated.level,
    dated.sector,
    dated.weighting,
    case when dated.is_known then dated.index_level end as index_level,
    case when dated.is_known then dated.closing_high_since end as closing_high_since,
    {{ pct_change('dated.index_level', 'week_base.index_level') }} as return_wtd_pct,
    {{ pct_change('dated.index_level', 'month_base.index_level') }} as return_mtd_pct,
    {{ pct_change('dated.index_level', 'year_base.index_level') }} as return_ytd_pct
from dated
left join base as week_base
    on
        dated.symbol = week_base.symbol
        and dated.week_start = week_base.period_start
left join base as month_base
    on
        dated.symbol = month_base.symbol
        and dated.month_start = month_base.period_start
left join base as year_base
    on
        dated.symbol = year_base.symbol
        and dated.year_start = year_base.period_start
