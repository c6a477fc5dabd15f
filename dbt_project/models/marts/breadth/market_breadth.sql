with performance as (

    select * from {{ ref('security_performance') }}

),

dim_security as (

    select * from {{ ref('dim_security') }}

),

security as (

    select
        performance.market,
        performance.region,
        performance.trade_date,
        performance.status,
        case when performance.status <> 'suspended' then performance.change_pct end as change_pct,
        performance.at_limit,
        cast({{ dbt.dateadd('day', -364, 'performance.trade_date') }} as date) as year_start,
        performance.closing_high_since,
        performance.closing_low_since,
        dim_security.first_trade_date
    from performance
    inner join dim_security
        on performance.symbol = dim_security.symbol
    {% if is_incremental() %}
        where performance.trade_date >= {{ rebuild_from() }}
    {% endif %}

)

select
    trade_date,
    market,
    cast(count(*) as integer) as securities_reported,
    cast(count(case when change_pct > 0 then 1 end) as integer) as advancers,
    cast(count(case when change_pct < 0 then 1 end) as integer) as decliners,
    cast(count(case when change_pct = 0 then 1 end) as integer) as unchanged,
    cast(count(case when status = 'suspended' then 1 end) as integer) as suspended,
    cast(count(case
        when
            first_trade_date <= year_start
            and coalesce(closing_high_since < year_start, true)
            then 1
    end) as integer) as new_highs_52w,
    cast(count(case
        when
            first_trade_date <= year_start
            and coalesce(closing_low_since < year_start, true)
            then 1
    end) as integer) as new_lows_52w,
    case
        when region = 'mainland'
            then cast(count(case when at_limit = 'up' then 1 end) as integer)
    end as limit_up,
    case
        when region = 'mainland'
            then cast(count(case when at_limit = 'down' then 1 end) as integer)
    end as limit_down
from security
group by trade_date, market, region
