{#
The date from which the tables were rebuilt since the last release, as an SQL date. A check keeps to
the sessions from there on, so that a night's audit costs a night.

On DuckDB it is the variable `changed_from` of the session, which the audit sets before it reads the
views; the planner takes it for a constant, so that a scan skips what is older (a subquery took ten
times as long). For whoever has not set it, a check looks at the whole history.
#}
{% macro changed_from() -%}
    {{ return(adapter.dispatch('changed_from', 'closing_bell')()) }}
{%- endmacro %}

{% macro default__changed_from() -%}
    (select coalesce(min(trade_date), cast('1900-01-01' as date)) from {{ source('raw', 'pending_rebuild') }})
{%- endmacro %}

{% macro duckdb__changed_from() -%}
    coalesce(cast(getvariable('changed_from') as date), cast('1900-01-01' as date))
{%- endmacro %}


{# How far back checks read what they compare with. #}
{% macro sessions_before_change() -%}
    {{ twenty_sessions_before(changed_from()) }}
{%- endmacro %}
