{# Functions of statistics, whose names differ from engine to engine. #}


{# The median as an aggregate or over a window. #}
{% macro median(value) -%}
    {{ return(adapter.dispatch('median', 'closing_bell')(value)) }}
{%- endmacro %}

{% macro default__median(value) -%}
    percentile({{ value }}, 0.5)
{%- endmacro %}

{% macro duckdb__median(value) -%}
    quantile_cont({{ value }}, 0.5)
{%- endmacro %}
