-- Every reported security advanced, declined, was unchanged or suspended, except those without a
-- previous close; limits and 52-week records are of the same sample.
{{ config(meta={"dagster": {"ref": {"name": "market_breadth"}}}) }}

with recounted as (

    select
        trade_date,
        market,
        count(*) as reported,
        count(
            case when change_pct is null and status is distinct from 'suspended' then 1 end
        ) as without_change
    from {{ ref('security_performance') }}
    where
        trade_date >= {{ rebuild_from() }}
        and {{ is_counted_share('kind') }}
    group by trade_date, market

),

without_price as (

    select
        trade_date,
        market,
        count(distinct symbol) as securities
    from {{ ref('stg_security_suspension') }}
    where
        trade_date >= {{ rebuild_from() }}
        and {{ is_counted_share(kind_of_security('symbol')) }}
        and (symbol, trade_date) not in (
            select
                performance.symbol,
                performance.trade_date
            from {{ ref('security_performance') }} as performance
            where performance.trade_date >= {{ rebuild_from() }}
        )
    group by trade_date, market

)

select
    recounted.trade_date,
    recounted.market,
    recounted.reported + coalesce(without_price.securities, 0) as reported,
    breadth.securities_reported
from recounted
left join {{ ref('market_breadth') }} as breadth
    on
        recounted.trade_date = breadth.trade_date
        and recounted.market = breadth.market
left join without_price
    on
        recounted.trade_date = without_price.trade_date
        and recounted.market = without_price.market
where
    breadth.securities_reported
    is distinct from recounted.reported + coalesce(without_price.securities, 0)
    or breadth.advancers + breadth.decliners + breadth.unchanged + coalesce(breadth.suspended, 0)
    <> recounted.reported + coalesce(without_price.securities, 0) - recounted.without_change
    or breadth.limit_up > breadth.advancers + coalesce(breadth.suspended, 0)
    or breadth.limit_down > breadth.decliners + coalesce(breadth.suspended, 0)
    or breadth.new_highs_52w + breadth.new_lows_52w > breadth.securities_reported
    or (breadth.limit_up is not null and breadth.market = 'XHKG')
