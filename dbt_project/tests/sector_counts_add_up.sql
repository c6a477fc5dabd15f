-- Advancers, decliners and unchanged are the members with a change that counts; the members of all
-- sectors of a region are its securities with a sector, each in one, and likewise of industries.
{{ config(meta={"dagster": {"ref": {"name": "sector_performance"}}}) }}

with counted as (

    select
        trade_date,
        region,
        level,
        sum(members) as members,
        sum(advancers) as advancers,
        sum(decliners) as decliners,
        sum(unchanged) as unchanged,
        bool_and(traded <= members) as is_traded_within
    from {{ ref('sector_performance') }}
    where
        trade_date >= {{ rebuild_from() }}
        and level in ('sector', 'industry')
    group by trade_date, region, level

),

recounted as (
    {% for level in ['sector', 'industry'] %}
        select
            trade_date,
            region,
            '{{ level }}' as level,
            count(*) as members,
            count(
                case when status is distinct from 'suspended' and change_pct > 0 then 1 end
            ) as advancers,
            count(
                case when status is distinct from 'suspended' and change_pct < 0 then 1 end
            ) as decliners,
            count(
                case when status is distinct from 'suspended' and change_pct = 0 then 1 end
            ) as unchanged
        from {{ ref('security_performance') }}
        where
            trade_date >= {{ rebuild_from() }}
            and {{ level }} is not null
            and {{ is_counted_share('kind') }}
        group by trade_date, region
        {% if not loop.last %}union all{% endif %}
    {% endfor %}
)

select
    coalesce(counted.trade_date, recounted.trade_date) as trade_date,
    coalesce(counted.region, recounted.region) as region,
    coalesce(counted.level, recounted.level) as level,
    counted.members,
    recounted.members as members_recounted
from counted
full join recounted
    on
        counted.trade_date = recounted.trade_date
        and counted.region = recounted.region
        and counted.level = recounted.level
where
    counted.members is distinct from recounted.members
    or counted.advancers is distinct from recounted.advancers
    or counted.decliners is distinct from recounted.decliners
    or counted.unchanged is distinct from recounted.unchanged
    or not counted.is_traded_within
