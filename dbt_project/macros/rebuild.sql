{#
The earliest session whose inputs changed, as an SQL date. Incremental models are rebuilt from
there on.

It comes by the environment variable CLOSING_BELL_REBUILD_FROM (YYYY-MM-DD, default 1900-01-01) and
is read only while a model runs: a variable read while dbt parses would make every new night parse
the whole project again. So use it within `is_incremental()`, which is false while parsing.
#}
{% macro rebuild_from() -%}
    {%- if execute -%}
        cast('{{ env_var("CLOSING_BELL_REBUILD_FROM", "1900-01-01") }}' as date)
    {%- else -%}
        cast('1900-01-01' as date)
    {%- endif -%}
{%- endmacro %}


{#
The only series (symbols, markets) whose records changed at the earliest sessions; none where any
may have.

They come by the environment variable CLOSING_BELL_REBUILD_SERIES (separated by commas). Tables with
a row per security are rebuilt for these from `rebuild_from()` on, and for all others from
`rebuild_all_from()` on: see `is_rebuilt`.
#}
{% macro rebuilt_series() -%}
    {%- set series = env_var("CLOSING_BELL_REBUILD_SERIES", "") if execute else "" -%}
    {{ return(series.split(",") if series else []) }}
{%- endmacro %}


{#
The date from which all securities are rebuilt, as an SQL date.

It is read when a model runs, because int_feed_session may have moved it in the same run.
#}
{% macro rebuild_all_from() -%}
    {%- if rebuilt_series() -%}
        {{ return(_pending("min(case when series is null then trade_date end)")) }}
    {%- else -%}
        {{ return(rebuild_from()) }}
    {%- endif -%}
{%- endmacro %}


{#
The last date at which a series changed that is rebuilt alone, as an SQL date. Changes from
`rebuild_all_from()` on, as those of a usual night, do not count.
#}
{% macro _last_rebuilt_alone() -%}
    {%- set is_alone = "trade_date < " ~ rebuild_all_from() -%}
    {{ return(_pending("max(case when " ~ is_alone ~ " then last_changed_date end)")) }}
{%- endmacro %}


{# An SQL date from raw.pending_rebuild; one that is never reached where there is none. #}
{% macro _pending(date_found) -%}
    {%- set query -%}
        select {{ date_found }} from {{ source('raw', 'pending_rebuild') }}
    {%- endset -%}
    {%- set day = run_query(query).rows[0][0] -%}
    {{ return("cast('" ~ (day or "9999-12-31") ~ "' as date)") }}
{%- endmacro %}


{#
Whether this run rebuilds the row of a security, as an SQL condition.

Args:
    symbol, trade_date: columns.
    sessions_before: also the rows of the twenty sessions before those that are rebuilt.
#}
{% macro is_rebuilt(symbol="symbol", trade_date="trade_date", sessions_before=false) -%}
    {%- set first, all_from = rebuild_from(), rebuild_all_from() -%}
    {%- if sessions_before -%}
        {%- set first = twenty_sessions_before(first) -%}
        {%- set all_from = twenty_sessions_before(all_from) -%}
    {%- endif -%}
    {{ trade_date }} >= {{ first }}
    {%- if rebuilt_series() %}
        and ({{ trade_date }} >= {{ all_from }} or {{ is_rebuilt_alone(symbol) }})
    {%- endif -%}
{%- endmacro %}


{# Whether a security is one of few that are rebuilt from an earlier date than all others. #}
{% macro is_rebuilt_alone(symbol) -%}
    {{ symbol }} in ('{{ rebuilt_series() | join("', '") }}')
{%- endmacro %}


{#
Whether a row of any security that changed may change what is told of all securities of a session:
such a row itself, and one that later sessions are compared with.
#}
{% macro is_session_rebuilt(trade_date) -%}
    {{ trade_date }} >= {{ rebuild_from() }}
    {%- if rebuilt_series() %}
        and (
            {{ trade_date }} >= {{ rebuild_all_from() }}
            or {{ trade_date }} <= {{ dbt.dateadd('day', 60, _last_rebuilt_alone()) }}
        )
    {%- endif -%}
{%- endmacro %}


{# A date at least twenty sessions before a day. No market pauses for longer than three weeks. #}
{% macro twenty_sessions_before(day) -%}
    cast({{ dbt.dateadd('day', -60, day) }} as date)
{%- endmacro %}


{# How far back the models that average over twenty sessions read. #}
{% macro sessions_before_rebuild() -%}
    {{ twenty_sessions_before(rebuild_from()) }}
{%- endmacro %}


{#
Incremental strategy `rebuild_from`: in one transaction, delete every row of the model from the
rebuild date on, and insert what the model now yields for those dates. This also removes rows whose
date or key is no longer in raw, which delete+insert by key and merge would keep.
#}
{% macro get_incremental_rebuild_from_sql(arg_dict) -%}
    {{ replace_rows(arg_dict, "trade_date >= " ~ rebuild_from()) }}
{%- endmacro %}


{# Incremental strategy `rebuild_securities`: the same for a model with a row per security. #}
{% macro get_incremental_rebuild_securities_sql(arg_dict) -%}
    {{ replace_rows(arg_dict, is_rebuilt()) }}
{%- endmacro %}


{#
Incremental strategy `rebuild_feed_sessions`, of int_feed_session. Every security depends on it: from
the first session on of which it now says something else, all are rebuilt.
#}
{% macro get_incremental_rebuild_feed_sessions_sql(arg_dict) -%}
    {%- set judged = "feed, market, trade_date, is_quarantined, has_volumes" -%}
    {%- set replaced = "where " ~ is_session_rebuilt("trade_date") -%}
    {%- if rebuilt_series() -%}
        insert into {{ source('raw', 'pending_rebuild') }} (trade_date, reason, noticed_at)
        select
            min(changed.trade_date),
            'sessions judged anew',
            (select max(noticed_at) from {{ source('raw', 'pending_rebuild') }})
        from (
            (
                select {{ judged }} from {{ arg_dict["target_relation"] }} {{ replaced }}
                except
                select {{ judged }} from {{ arg_dict["temp_relation"] }}
            )
            union all
            (
                select {{ judged }} from {{ arg_dict["temp_relation"] }}
                except
                select {{ judged }} from {{ arg_dict["target_relation"] }} {{ replaced }}
            )
        ) as changed
        where changed.trade_date < {{ rebuild_all_from() }}
        having min(changed.trade_date) is not null;

    {% endif -%}
    {{ replace_rows(arg_dict, is_session_rebuilt("trade_date")) }}
{%- endmacro %}


{% macro replace_rows(arg_dict, condition) -%}
    {%- set columns = get_quoted_csv(arg_dict["dest_columns"] | map(attribute="name")) -%}
    delete from {{ arg_dict["target_relation"] }}
    where {{ condition }};

    insert into {{ arg_dict["target_relation"] }} ({{ columns }})
    select {{ columns }}
    from {{ arg_dict["temp_relation"] }}
{%- endmacro %}
