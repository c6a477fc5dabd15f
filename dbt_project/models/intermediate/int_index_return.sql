{% set since = {
    "return_wtd_pct": "week_before",
    "return_mtd_pct": "month_before",
    "return_qtd_pct": "quarter_before",
    "return_ytd_pct": "year_before",
    "return_1y_pct": "year_ago",
} %}

with closes as (

    select * from {{ ref('int_index_close') }}

),

session as (

    select * from {{ ref('int_return_session') }}

)

select
    {% for sessions in [5, 20] %}
        {{ pct_change('closes.close', 'back_' ~ sessions ~ '.close') }}
            as return_{{ sessions }}d_pct,
    {% endfor %}
    {% for name, day in since.items() %}
        {{ pct_change('closes.close', day ~ '_close.close') }} as {{ name }},
    {% endfor %}
    closes.symbol,
    closes.trade_date
from closes
inner join session
    on
        closes.market = session.market
        and closes.trade_date = session.trade_date
{% for sessions in [5, 20] %}
    left join closes as back_{{ sessions }}
        on
            closes.symbol = back_{{ sessions }}.symbol
            and closes.session_number - {{ sessions }} = back_{{ sessions }}.session_number
{% endfor %}
{% for day in since.values() %}
    left join closes as {{ day }}_close
        on
            closes.symbol = {{ day }}_close.symbol
            and session.{{ day }} = {{ day }}_close.trade_date
{% endfor %}
