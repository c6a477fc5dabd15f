with levels as (

    select * from {{ ref('int_sector_index') }}

),

-- The last session of each group before the week, the month and the year began.
dated as (

    select
        levels.*,
        cast({{ dbt.date_trunc('week', 'levels.trade_date') }} as date) as week_start,
        cast({{ dbt.date_trunc('month', 'levels.trade_date') }} as date) as month_start,
        cast({{ dbt.date_trunc('year', 'levels.trade_date') }} as date) as year_start
    from levels
    {% if is_incremental() %}
        where levels.trade_date >= {{ rebuild_from() }}
    {% endif %}

),

{% set periods = {'wtd': 'week_start', 'mtd': 'month_start', 'ytd': 'year_start'} %}
{% for name, start in periods.items() %}
{{ name }}_base as (

    select
        period.symbol,
        period.{{ start }},
        max_by(levels.index_level, levels.trade_date) as index_level
    from (select distinct symbol, {{ start }} from dated) as period
    inner join levels
        on
            period.symbol = levels.symbol
            and period.{{ start }} > levels.trade_date
            and {{ dbt.dateadd('day', -21, 'period.' ~ start) }} <= levels.trade_date
    group by period.symbol, period.{{ start }}

){{ ',' if not loop.last }}

{% endfor %}

select
    dated.trade_date,
    dated.region,
    dated.level,
    dated.sector,
    dated.weighting,
    case when dated.is_known then dated.index_level end as index_level,
    case when dated.is_known then dated.closing_high_since end as closing_high_since,
    {% for name in periods %}
        {{ pct_change('dated.index_level', name ~ '_base.index_level') }} as return_{{ name }}_pct
        {{- ',' if not loop.last }}
    {% endfor %}
from dated
{% for name, start in periods.items() %}
    left join {{ name }}_base
        on
            dated.symbol = {{ name }}_base.symbol
            and dated.{{ start }} = {{ name }}_base.{{ start }}
{% endfor %}
