{#
The earliest session whose inputs changed, as an SQL date. Incremental models are rebuilt from
there on.

It comes by the environment variable CLOSING_BELL_REBUILD_FROM (YYYY-MM-DD, default 1900-01-01) and
is read only while a model runs: a variable read while dbt parses would make every new night parse
the whole project again. So use it within `is_incremental()`, which is false while parsing.
#}
{% macro rebuild_from() -%}
    {%- if execute -%}
        cast('{{ env_var("CLOSING_BELL_REBUILD_FROM", "1900-01-01") }}' as date)
    {%- else -%}
        cast('1900-01-01' as date)
    {%- endif -%}
{%- endmacro %}


{# A date at least twenty sessions before a day. No market pauses for longer than three weeks. #}
{% macro twenty_sessions_before(day) -%}
    cast({{ dbt.dateadd('day', -60, day) }} as date)
{%- endmacro %}


{# How far back the models that average over twenty sessions read. #}
{% macro sessions_before_rebuild() -%}
    {{ twenty_sessions_before(rebuild_from()) }}
{%- endmacro %}


{#
Incremental strategy `rebuild_from`: in one transaction, delete every row of the model from the
rebuild date on, and insert what the model now yields for those dates. This also removes rows whose
date or key is no longer in raw, which delete+insert by key and merge would keep.
#}
{% macro get_incremental_rebuild_from_sql(arg_dict) -%}
    {%- set columns = get_quoted_csv(arg_dict["dest_columns"] | map(attribute="name")) -%}
    delete from {{ arg_dict["target_relation"] }}
    where trade_date >= {{ rebuild_from() }};

    insert into {{ arg_dict["target_relation"] }} ({{ columns }})
    select {{ columns }}
    from {{ arg_dict["temp_relation"] }}
{%- endmacro %}
