{#
A threshold of a check: the number that its entry in models/audit/checks.yaml gives under
`config: meta: settings`. It stands in the view as a literal.
#}
{% macro setting(name) -%}
    {%- if not execute -%}
        {# dbt reads the properties of a model after its SQL. #}
        cast(0 as double)
    {%- elif name not in model.config.meta.get("settings", {}) -%}
        {{ exceptions.raise_compiler_error(
            "checks.yaml gives " ~ model.name ~ " no setting named " ~ name
        ) }}
    {%- else -%}
        cast({{ model.config.meta["settings"][name] }} as double)
    {%- endif -%}
{%- endmacro %}
