{#
The records of a kind that the last release held and files no longer report, or report with other
values; for restated_record, whose CTE `last_release` says when that release was made.

Columns are those that any check looks at. `figure` is the number that a record is mainly about;
`…_now` is what files report now.
#}
{% macro restated(kind) -%}
    {%- set columns = record_kinds()[kind] -%}
    {%- set types = {
        "trade_date": "date",
        "basket": dbt.type_string(),
        "industry": dbt.type_string(),
        "industry_now": dbt.type_string(),
        "figure": "decimal(22, 6)",
        "figure_now": "decimal(22, 6)",
    } -%}
    {%- set figures = {
        "index_close": "close",
        "security_close": "close",
        "market_turnover": "turnover",
        "exchange_rate": "rate",
    } -%}
    {%- set given = {} -%}
    {%- for name in ["trade_date", "basket"] if name in columns["key"] -%}
        {%- do given.update({name: "before." ~ name}) -%}
    {%- endfor -%}
    {%- if "industry" in columns["values"] -%}
        {%- do given.update({"industry": "before.industry", "industry_now": "now.industry"}) -%}
    {%- endif -%}
    {%- if kind in figures -%}
        {%- do given.update({
            "figure": "before." ~ figures[kind],
            "figure_now": "now." ~ figures[kind],
        }) -%}
    {%- endif -%}
    select
        '{{ kind }}' as record_kind,
        before.feed,
        {% for name in columns["about"] -%}
            before.{{ name }}{{ " || " if not loop.last }}
        {%- endfor %} as about,
        {{ typed_columns(types, given) | indent(8) }},
        before.file_id,
        now.file_id as file_id_now,
        now.line_number as line_number_now
    from {{ source('raw', kind ~ '_superseded') }} as before
    left join {{ source('raw', kind) }} as now
        on
            before.feed = now.feed
            {%- for name in columns["key"] %}
            and before.{{ name }} = now.{{ name }}
            {%- endfor %}
            and now.is_current
    where
        before.is_current
        and before.loaded_at < (select ended_at from last_release)
        and before.superseded_at >= (select ended_at from last_release)
        and (
            now.file_id is null
            {%- for name in columns["values"] %}
            or before.{{ name }} is distinct from now.{{ name }}
            {%- endfor %}
        )
{%- endmacro %}
