-- A security, a session and a group it was in: its sector, its industry as delivered, each basket.
-- Who is suspended has not moved, and is not unchanged either.
{% set counted_change = "case when status <> 'suspended' then change_pct end" %}

select
    trade_date,
    region,
    'sector' as level,
    sector,
    symbol,
    name,
    status,
    {{ counted_change }} as change_pct,
    turnover
from {{ ref('security_performance') }}
where sector is not null

union all

select
    trade_date,
    region,
    'industry' as level,
    industry as sector,
    symbol,
    name,
    status,
    {{ counted_change }} as change_pct,
    turnover
from {{ ref('security_performance') }}
where industry is not null

union all

select
    performance.trade_date,
    basket.region,
    'basket' as level,
    member.basket as sector,
    performance.symbol,
    performance.name,
    performance.status,
    {{ counted_change }} as change_pct,
    performance.turnover
from {{ ref('security_performance') }} as performance
inner join {{ ref('basket_member') }} as member
    on
        performance.symbol = member.symbol
        and performance.trade_date >= member.valid_from
        and performance.trade_date <= coalesce(member.valid_to, cast('9999-12-31' as date))
inner join {{ ref('basket') }} as basket
    on member.basket = basket.basket
