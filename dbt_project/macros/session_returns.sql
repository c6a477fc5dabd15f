{#
Returns, in percent, since sessions before.

Args:
    closes: a relation or CTE with symbol, market, trade_date, session_number and the value.
    value: the column whose change is the return.
    back: numbers of sessions; return_<number>d_pct looks back so many sessions of the market.
    since: name of a return -> column of int_return_session with the session that it is counted
        from.
    comparable_from: column with the first session that the value can be compared with; none where
        it always can.
Yields the columns of `closes`, and the returns; null where the session has no row, or a row from before
`comparable_from`.
#}
{% macro session_returns(closes, value, back, since, comparable_from=none) -%}
    {%- set names = {} -%}
    {%- for sessions in back -%}
        {%- do names.update({"return_" ~ sessions ~ "d_pct": "back_" ~ sessions}) -%}
    {%- endfor -%}
    {%- for name, day in since.items() -%}
        {%- do names.update({name: day ~ "_close"}) -%}
    {%- endfor -%}
    select
        {% for name, earlier in names.items() %}
            {{ pct_change('closes.' ~ value, earlier ~ '.' ~ value) }} as {{ name }},
        {% endfor %}
        closes.*
    from {{ closes }} as closes
    inner join {{ ref('int_return_session') }} as session
        on
            closes.market = session.market
            and closes.trade_date = session.trade_date
    {% for sessions in back %}
        left join {{ closes }} as back_{{ sessions }}
            on
                closes.symbol = back_{{ sessions }}.symbol
                and closes.session_number - {{ sessions }} = back_{{ sessions }}.session_number
                {% if comparable_from %}
                    and closes.{{ comparable_from }} <= back_{{ sessions }}.trade_date
                {% endif %}
    {% endfor %}
    {% for day in since.values() %}
        left join (
            select * from {{ closes }}
            where trade_date in (select {{ day }} from {{ ref('int_return_session') }})
        ) as {{ day }}_close
            on
                closes.symbol = {{ day }}_close.symbol
                and session.{{ day }} = {{ day }}_close.trade_date
                {% if comparable_from %}
                    and closes.{{ comparable_from }} <= {{ day }}_close.trade_date
                {% endif %}
    {% endfor %}
{%- endmacro %}
