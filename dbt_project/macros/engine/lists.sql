{#
Functions of lists, whose names differ from engine to engine. Models call the macro; the adapter in
use decides which version it becomes.
#}


{# How many elements a list has. #}
{% macro list_length(list) -%}
    {{ return(adapter.dispatch('list_length', 'closing_bell')(list)) }}
{%- endmacro %}

{% macro default__list_length(list) -%}
    cardinality({{ list }})
{%- endmacro %}

{% macro duckdb__list_length(list) -%}
    len({{ list }})
{%- endmacro %}


{# Whether a list has an element of this value. #}
{% macro list_has(list, value) -%}
    {{ return(adapter.dispatch('list_has', 'closing_bell')(list, value)) }}
{%- endmacro %}

{% macro default__list_has(list, value) -%}
    array_contains({{ list }}, {{ value }})
{%- endmacro %}

{% macro duckdb__list_has(list, value) -%}
    list_contains({{ list }}, {{ value }})
{%- endmacro %}
