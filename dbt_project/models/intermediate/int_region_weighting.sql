{{ config(materialized='incremental') }}

-- What ranks the groups of a region: decided from the sessions before, so that a session at which
-- everything else is as usual is never weighted in another way than the one before it.
with turnover as (

    select
        region,
        trade_date,
        sum(turnover) as turnover,
        sum(case when float_cap is not null then turnover end) as turnover_with_cap
    from {{ ref('security_performance') }}
    where {{ is_counted_share('kind') }}
    {% if is_incremental() %}
        and trade_date >= {{ sessions_before_rebuild() }}
    {% endif %}
    group by region, trade_date

),

summed as (

    select
        region,
        trade_date,
        sum(turnover) over twenty_sessions_before as turnover,
        sum(turnover_with_cap) over twenty_sessions_before as turnover_with_cap
    from turnover
    window twenty_sessions_before as (
        partition by region order by trade_date rows between 20 preceding and 1 preceding
    )

)

select
    region,
    trade_date,
    case when 5 * turnover_with_cap >= 4 * turnover then 'float_cap' else 'equal' end as weighting
from summed
{% if is_incremental() %}
    where trade_date >= {{ rebuild_from() }}
{% endif %}
