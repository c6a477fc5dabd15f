{# Schemas have the names that the project gives them: raw, seed, staging, intermediate, main. #}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ (custom_schema_name or target.schema) | trim }}
{%- endmacro %}
