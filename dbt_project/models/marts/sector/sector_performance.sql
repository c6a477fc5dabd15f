-- Decimals add up to the same sum in any order.
with member as (

    select
        trade_date,
        region,
        level,
        sector,
        status,
        cast(change_pct as decimal(20, 6)) as change_pct,
        turnover,
        float_cap,
        case when not is_outlier then cast(change_pct as decimal(20, 6)) end as averaged_change_pct
    from {{ ref('int_security_member') }}
    {% if is_incremental() %}
        where trade_date >= {{ rebuild_from() }}
    {% endif %}

),

weighting as (

    select * from {{ ref('int_region_weighting') }}

),

summed as (

    select
        trade_date,
        region,
        level,
        sector,
        count(*) as members,
        count(case when status = 'traded' then 1 end) as traded,
        count(case when status = 'suspended' then 1 end) as suspended,
        count(case when status = 'traded' and turnover is null then 1 end) as without_turnover,
        count(case when change_pct > 0 then 1 end) as advancers,
        count(case when change_pct < 0 then 1 end) as decliners,
        count(case when change_pct = 0 then 1 end) as unchanged,
        count(change_pct) as changes,
        count(averaged_change_pct) as averaged_changes,
        sum(averaged_change_pct) as sum_of_changes,
        sum(turnover) as turnover,
        sum(case when averaged_change_pct is not null then turnover end) as averaged_turnover,
        sum(averaged_change_pct * turnover) as changes_by_turnover,
        sum(case when float_cap is not null then turnover end) as turnover_with_cap,
        sum(case when averaged_change_pct is not null then float_cap end) as averaged_cap,
        sum(averaged_change_pct * cast(float_cap as decimal(18, 0))) as changes_by_cap
    from member
    group by trade_date, region, level, sector

),

-- An average of fewer than half of those that could change would speak for the others too.
averaged as (

    select
        *,
        2 * changes >= members - suspended and averaged_changes > 0 as is_known,
        sum(without_turnover) over (partition by trade_date, region, level) = 0
            as is_turnover_known
    from summed

),

weighted as (

    select
        averaged.*,
        weighting.weighting
    from averaged
    inner join weighting
        on
            averaged.region = weighting.region
            and averaged.trade_date = weighting.trade_date

),

measured as (

    select
        *,
        case
            when is_known
                then round(cast(sum_of_changes as double) / averaged_changes, 6)
        end as change_pct_equal,
        case
            when is_known and without_turnover = 0 and averaged_turnover > 0
                then
                    round(
                        cast(changes_by_turnover as double) / cast(averaged_turnover as double), 6
                    )
        end as change_pct_turnover,
        case
            when is_known and averaged_cap > 0
                then round(cast(changes_by_cap as double) / cast(averaged_cap as double), 6)
        end as change_pct_cap,
        {{ pct_of('turnover_with_cap', 'turnover') }} as coverage_pct,
        case when is_turnover_known then turnover end as known_turnover
    from weighted

),

chosen as (

    select
        *,
        case weighting
            when 'float_cap' then change_pct_cap else change_pct_equal
        end as change_pct
    from measured

),

rankable as (

    select
        *,
        case when traded >= {{ fewest_ranked_members() }} and level <> 'market' then change_pct end
            as ranked_change_pct
    from chosen

),

ranked as (

    select
        *,
        row_number() over (
            partition by trade_date, region, level
            order by ranked_change_pct desc nulls last, sector asc
        ) as rank_best,
        row_number() over (
            partition by trade_date, region, level order by ranked_change_pct nulls last, sector
        ) as rank_worst,
        sum(known_turnover) over (partition by trade_date, region, level) as level_turnover
    from rankable

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
    change_pct_cap,
    coverage_pct,
    change_pct,
    weighting,
    cast(case when without_turnover = 0 then turnover end as decimal(18, 2)) as turnover,
    {{ pct_of('known_turnover', 'level_turnover') }} as turnover_share_pct,
    cast(case when ranked_change_pct is not null then rank_best end as integer) as rank_best,
    cast(case when ranked_change_pct is not null then rank_worst end as integer) as rank_worst
from ranked
