-- Within a region, level and session: one weighting, shares of turnover that sum to 100 %, and
-- ranks from 1 without a gap, in the order of the changes, of groups of five that traded.
{{ config(meta={"dagster": {"ref": {"name": "sector_performance"}}}) }}

with ordered as (

    select
        *,
        case when rank_best is not null then lag(change_pct) over by_rank_best end as change_before,
        case when rank_worst is not null then lag(change_pct) over by_rank_worst end
            as change_behind
    from {{ ref('sector_performance') }}
    where trade_date >= {{ rebuild_from() }}
    window
        by_rank_best as (partition by trade_date, region, level order by rank_best nulls last),
        by_rank_worst as (partition by trade_date, region, level order by rank_worst nulls last)

)

select
    trade_date,
    region,
    level,
    sum(turnover_share_pct) as share_pct,
    count(rank_best) as ranked
from ordered
group by trade_date, region, level
having
    abs(sum(turnover_share_pct) - 100) > 0.0001
    or min(weighting) <> max(weighting)
    or count(distinct rank_best) <> count(rank_best)
    or count(distinct rank_worst) <> count(rank_best)
    or max(rank_best) <> count(rank_best)
    or max(rank_worst) <> count(rank_best)
    or count(case when rank_best is not null and (traded < 5 or change_pct is null) then 1 end) > 0
    or not coalesce(bool_and(change_before >= change_pct), true)
    or not coalesce(bool_and(change_behind <= change_pct), true)
