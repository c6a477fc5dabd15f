-- A suspended security has not moved, and does not count as unchanged either.
{% set counted_change = "case when status <> 'suspended' then change_pct end" %}

{% for level in ['sector', 'industry'] %}
    select
        trade_date,
        region,
        '{{ level }}' as level,
        {{ level }} as sector,
        symbol,
        name,
        status,
        {{ counted_change }} as change_pct,
        turnover
    from {{ ref('security_performance') }}
    where {{ level }} is not null

    union all

{% endfor %}
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
