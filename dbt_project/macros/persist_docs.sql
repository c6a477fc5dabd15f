{#
Descriptions become comments in the DuckDB file when a table is created. A night only adds rows to
tables that have their comments already: one statement per column, hundreds per night, would change
nothing. A changed description changes the project, and then everything is created anew.
#}
{% macro persist_docs(relation, model, for_relation=true, for_columns=true) -%}
    {%- if not (model.config.materialized == 'incremental' and is_incremental()) -%}
        {{ return(adapter.dispatch('persist_docs', 'dbt')(
            relation, model, for_relation, for_columns
        )) }}
    {%- endif -%}
{%- endmacro %}
