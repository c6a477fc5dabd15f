with member as (

    select * from {{ ref('int_security_member') }}

),

ranked as (
    {% for side, side_rank in [('leader', 'rank_best'), ('laggard', 'rank_worst')] %}
        select
            trade_date,
            region,
            level,
            '{{ side }}' as side,
            {{ side_rank }} as rank,
            sector,
            change_pct,
            weighting,
            members,
            advancers,
            decliners
        from {{ ref('sector_performance') }}
        where
            {{ side_rank }} <= 5
            and trade_date >= {{ rebuild_from() if is_incremental() else "date '1900-01-01'" }}
        {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

-- The members of those groups, ordered from the one that moved most in the direction of the side.
mover as (

    select
        ranked.trade_date,
        ranked.region,
        ranked.level,
        ranked.side,
        ranked.rank,
        member.symbol,
        member.name,
        member.change_pct,
        row_number() over (
            partition by ranked.trade_date, ranked.region, ranked.level, ranked.side, ranked.rank
            order by
                case ranked.side
                    when 'leader' then -member.change_pct else member.change_pct
                end,
                member.symbol
        ) as mover_rank
    from ranked
    inner join member
        on
            ranked.trade_date = member.trade_date
            and ranked.region = member.region
            and ranked.level = member.level
            and ranked.sector = member.sector
            and member.change_pct is not null
            and not member.is_outlier
    {% if is_incremental() %}
        where member.trade_date >= {{ rebuild_from() }}
    {% endif %}

)

select
    ranked.trade_date,
    ranked.region,
    ranked.level,
    ranked.side,
    ranked.rank,
    ranked.sector,
    ranked.change_pct,
    ranked.weighting,
    ranked.members,
    ranked.advancers,
    ranked.decliners,
    mover.symbol as top_symbol,
    mover.name as top_name,
    mover.change_pct as top_change_pct
from ranked
inner join mover
    on
        ranked.trade_date = mover.trade_date
        and ranked.region = mover.region
        and ranked.level = mover.level
        and ranked.side = mover.side
        and ranked.rank = mover.rank
        and mover.mover_rank = 1
