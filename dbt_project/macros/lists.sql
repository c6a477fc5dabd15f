{# Lists in SQL: the words differ from engine to engine. #}


{% macro list_length(list) -%}
    len({{ list }})
{%- endmacro %}


{% macro list_has(list, value) -%}
    list_contains({{ list }}, {{ value }})
{%- endmacro %}
