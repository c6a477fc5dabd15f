with performance as (

    select
        trade_date,
        region,
        sector,
        industry,
        symbol,
        name,
        status,
        {{ counted_change('status', 'change_pct') }} as change_pct,
        is_outlier,
        turnover,
        float_cap
    from {{ ref('security_performance') }}
    where {{ is_counted_share('kind') }}

),

member as (

    select
        symbol,
        basket,
        valid_from,
        coalesce(valid_to, cast('9999-12-31' as date)) as valid_to
    from {{ ref('basket_member') }}

),

basket as (

    select * from {{ ref('basket') }}

)

{% set columns = [
    'symbol', 'name', 'status', 'change_pct', 'is_outlier', 'turnover', 'float_cap'
] %}
{% for level, group in [('market', 'region'), ('sector', 'sector'), ('industry', 'industry')] %}
    select
        trade_date,
        region,
        '{{ level }}' as level,
        {{ group }} as sector,
        {{ columns | join(',\n        ') }}
    from performance
    where {{ group }} is not null

    union all

{% endfor %}
select
    performance.trade_date,
    basket.region,
    'basket' as level,
    member.basket as sector,
    performance.{{ columns | join(',\n    performance.') }}
from performance
inner join member
    on
        performance.symbol = member.symbol
        and performance.trade_date between member.valid_from and member.valid_to
inner join basket
    on member.basket = basket.basket
