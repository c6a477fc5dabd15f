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


{#
Whether a row may have changed since the last release, as an SQL condition: it is of a session from
`changed_from()` on. Where only few securities changed at the earliest of these sessions, rows of
other securities count from the date on from which all changed.

Args:
    row: the relation's alias, where a select reads more than one; it has symbol and trade_date.
    kind: its record kind; by default its column record_kind.
    sessions_before: also the rows that those which changed are compared with.
#}
{% macro is_changed(row=none, kind=none, sessions_before=false) -%}
    {%- set row = row ~ "." if row else "" -%}
    {{ return(adapter.dispatch('is_changed', 'closing_bell')(
        row, kind or row ~ 'record_kind', sessions_before
    )) }}
{%- endmacro %}

{% macro default__is_changed(row, kind, sessions_before) -%}
    {{ row }}trade_date >= {{ sessions_before_change() if sessions_before else changed_from() }}
{%- endmacro %}

{% macro duckdb__is_changed(row, kind, sessions_before) -%}
    {%- set all_from -%}
        coalesce(cast(getvariable('all_changed_from') as date), {{ changed_from() }})
    {%- endset -%}
    {{ default__is_changed(row, kind, sessions_before) }}
    and (
        {{ row }}trade_date >= {{ twenty_sessions_before(all_from) if sessions_before else all_from }}
        or {{ kind }} <> 'security_close'
        or list_contains(getvariable('changed_series'), {{ row }}symbol)
    )
{%- endmacro %}
