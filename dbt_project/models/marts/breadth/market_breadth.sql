with performance as (

    select * from {{ ref('security_performance') }}
    where {{ is_counted_share('kind') }}
    {% if is_incremental() %}
        and trade_date >= {{ rebuild_from() }}
    {% endif %}

),

-- Of these a feed gives no price, so that they have no performance.
suspension as (

    select distinct
        suspension.market,
        suspension.trade_date,
        suspension.symbol
    from {{ ref('stg_security_suspension') }} as suspension
    left join performance
        on
            suspension.symbol = performance.symbol
            and suspension.trade_date = performance.trade_date
    where
        performance.symbol is null
        and {{ is_counted_share(kind_of_security('suspension.symbol')) }}
    {% if is_incremental() %}
        and suspension.trade_date >= {{ rebuild_from() }}
    {% endif %}

),

market_turnover as (

    select * from {{ ref('market_turnover') }}

),

security as (

    select
        market,
        region,
        trade_date,
        status,
        is_status_reported,
        {{ counted_change('status', 'change_pct') }} as change_pct,
        turnover,
        limit_pct,
        at_limit,
        previous_trade_date,
        record_begins,
        closing_high_since,
        closing_low_since,
        cast({{ dbt.dateadd('day', -364, 'trade_date') }} as date) as year_start
    from performance

),

counted as (

    select
        trade_date,
        market,
        region,
        count(*) as securities_reported,
        count(case when change_pct > 0 then 1 end) as advancers,
        count(case when change_pct < 0 then 1 end) as decliners,
        count(case when change_pct = 0 then 1 end) as unchanged,
        count(case when is_status_reported then 1 end) as statuses,
        count(case when status = 'suspended' then 1 end) as suspended,
        count(case
            when
                record_begins <= year_start
                and previous_trade_date >= year_start
                and coalesce(closing_high_since < year_start, true)
                then 1
        end) as new_highs_52w,
        count(case
            when
                record_begins <= year_start
                and previous_trade_date >= year_start
                and coalesce(closing_low_since < year_start, true)
                then 1
        end) as new_lows_52w,
        count(limit_pct) as limits,
        count(case when at_limit = 'up' then 1 end) as limit_up,
        count(case when at_limit = 'down' then 1 end) as limit_down,
        sum(turnover) as turnover
    from security
    group by trade_date, market, region

),

suspended as (

    select
        market,
        trade_date,
        count(*) as securities
    from suspension
    group by market, trade_date

)

select
    counted.trade_date,
    counted.market,
    cast(
        counted.securities_reported + coalesce(suspended.securities, 0) as integer
    ) as securities_reported,
    cast(counted.advancers as integer) as advancers,
    cast(counted.decliners as integer) as decliners,
    cast(counted.unchanged as integer) as unchanged,
    cast(
        case
            when counted.statuses > 0 or suspended.securities > 0
                then counted.suspended + coalesce(suspended.securities, 0)
        end as integer
    ) as suspended,
    cast(counted.new_highs_52w as integer) as new_highs_52w,
    cast(counted.new_lows_52w as integer) as new_lows_52w,
    cast(case when counted.limits > 0 then counted.limit_up end as integer) as limit_up,
    cast(case when counted.limits > 0 then counted.limit_down end as integer) as limit_down,
    {{ pct_of('counted.turnover', 'market_turnover.turnover') }} as turnover_coverage_pct
from counted
left join suspended
    on
        counted.market = suspended.market
        and counted.trade_date = suspended.trade_date
left join market_turnover
    on
        counted.market = market_turnover.market
        and counted.trade_date = market_turnover.trade_date
