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


{# Over a window, the last value in it that is not null. #}
{% macro latest_known(value, window) -%}
    {{ return(adapter.dispatch('latest_known', 'closing_bell')(value, window)) }}
{%- endmacro %}

{% macro default__latest_known(value, window) -%}
    last_value({{ value }}) ignore nulls over {{ window }}
{%- endmacro %}

{% macro duckdb__latest_known(value, window) -%}
    last_value({{ value }} ignore nulls) over {{ window }}
{%- endmacro %}
