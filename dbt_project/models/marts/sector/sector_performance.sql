-- Decimals add up to the same sum in any order.
with member as (

    select
        trade_date,
        region,
        level,
        sector,
        status,
        turnover,
        cast(change_pct as decimal(20, 6)) as change_pct
    from {{ ref('int_security_member') }}
    {% if is_incremental() %}
        where trade_date >= {{ rebuild_from() }}
    {% endif %}

),

summed as (

    select
        trade_date,
        region,
        level,
        sector,
        count(*) as members,
        count(case when status = 'traded' then 1 end) as traded,
        count(case when status = 'traded' and turnover is null then 1 end) as without_turnover,
        count(case when change_pct > 0 then 1 end) as advancers,
        count(case when change_pct < 0 then 1 end) as decliners,
        count(case when change_pct = 0 then 1 end) as unchanged,
        count(change_pct) as changes,
        sum(change_pct) as sum_of_changes,
        sum(turnover) as turnover,
        sum(case when change_pct is not null then turnover end) as weight,
        sum(change_pct * turnover) as weighted_changes
    from member
    group by trade_date, region, level, sector

),

-- One weighting for all groups that are ranked against each other.
weighted as (

    select
        *,
        case
            when
                sum(without_turnover) over (partition by trade_date, region, level) = 0
                and sum(traded) over (partition by trade_date, region, level) > 0
                then 'turnover'
            else 'equal'
        end as weighting,
        case
            when changes > 0
                then round(cast(sum_of_changes as double) / changes, 6)
        end as change_pct_equal,
        case
            when without_turnover = 0 and weight > 0
                then round(cast(weighted_changes as double) / cast(weight as double), 6)
        end as change_pct_turnover
    from summed

),

measured as (

    select
        *,
        case weighting
            when 'turnover' then change_pct_turnover else change_pct_equal
        end as change_pct,
        case when weighting = 'turnover' then turnover end as known_turnover
    from weighted

),

ranked as (

    select
        *,
        row_number() over (
            partition by trade_date, region, level order by change_pct desc nulls last, sector asc
        ) as rank_best,
        row_number() over (
            partition by trade_date, region, level order by change_pct nulls last, sector
        ) as rank_worst,
        sum(known_turnover) over (partition by trade_date, region, level) as level_turnover
    from measured

)

select
    trade_date,
    region,
    level,
    sector,
    cast(members as integer) as members,
    cast(traded as integer) as traded,
    cast(advancers as integer) as advancers,
    cast(decliners as integer) as decliners,
    cast(unchanged as integer) as unchanged,
    change_pct_equal,
    change_pct_turnover,
    cast(null as double) as change_pct_cap,
    change_pct,
    weighting,
    cast(case when without_turnover = 0 then turnover end as decimal(18, 2)) as turnover,
    {{ pct_of('known_turnover', 'level_turnover') }} as turnover_share_pct,
    cast(case when change_pct is not null then rank_best end as integer) as rank_best,
    cast(case when change_pct is not null then rank_worst end as integer) as rank_worst
from ranked
