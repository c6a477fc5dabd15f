{# Functions of text, whose names differ from engine to engine. #}


{# Whether a text begins with what a regular expression describes. #}
{% macro begins_with(text, pattern) -%}
    {{ return(adapter.dispatch('begins_with', 'closing_bell')(text, pattern)) }}
{%- endmacro %}

{% macro default__begins_with(text, pattern) -%}
    {{ text }} rlike '^{{ pattern }}'
{%- endmacro %}

{% macro duckdb__begins_with(text, pattern) -%}
    regexp_matches({{ text }}, '^{{ pattern }}')
{%- endmacro %}
