{#
What is read of a symbol's whole history. DuckDB gives each history as lists to a function of ours
(dagster_project/warehouse/list_functions.py); other engines have SQL with the same answers.
#}


{% macro default__closing_extreme_of_history(closes, value, since) -%}
    {{ closing_extreme_since_by_calendar(closes, value, since) }}
{%- endmacro %}

{% macro duckdb__closing_extreme_of_history(closes, value, since) -%}
    {{ closing_extreme_since_by_list(closes, value, since) }}
{%- endmacro %}


{# A double holds every price and level here exactly enough to tell two of them apart. #}
{% macro closing_extreme_since_by_list(closes, value, since=none) -%}
    select
        symbol,
        trade_date,
        since.high as closing_high_since,
        since.low as closing_low_since
    from (
        select
            symbol,
            unnest(trade_dates) as trade_date,
            unnest(closing_extremes(trade_dates, close_values)) as since
        from (
            select
                symbol,
                list(trade_date order by trade_date) as trade_dates,
                list(cast({{ value }} as double) order by trade_date) as close_values
            from {{ closes }}
            where {{ value }} is not null
            group by symbol
        )
    )
    {% if since %}
        where trade_date >= {{ since }}
    {% endif %}
{%- endmacro %}


{#
The median of a value over the sessions before each session.

Args:
    rows: a relation or CTE with symbol, trade_date (unique together), session_number and the value.
    value: a column of doubles, which may be null.
    sessions: the number of sessions of the market to look back on; the session itself is not one of
        them.
Yields symbol, trade_date, median, and the number of values that it is of.
#}
{% macro trailing_median(rows, value, sessions) -%}
    {{ return(adapter.dispatch('trailing_median', 'closing_bell')(rows, value, sessions)) }}
{%- endmacro %}

{% macro default__trailing_median(rows, value, sessions) -%}
    select
        symbol,
        trade_date,
        {{ median(value) }} over sessions_before as median,
        count({{ value }}) over sessions_before as value_count
    from {{ rows }}
    window sessions_before as (
        partition by symbol
        order by session_number range between {{ sessions }} preceding and 1 preceding
    )
{%- endmacro %}

{% macro duckdb__trailing_median(rows, value, sessions) -%}
    select
        symbol,
        trade_date,
        found.median,
        found.value_count
    from (
        select
            symbol,
            unnest(trade_dates) as trade_date,
            unnest(trailing_medians(session_numbers, value_list, {{ sessions }})) as found
        from (
            select
                symbol,
                list(trade_date order by trade_date) as trade_dates,
                list(cast(session_number as bigint) order by trade_date) as session_numbers,
                list({{ value }} order by trade_date) as value_list
            from {{ rows }}
            group by symbol
        )
    )
{%- endmacro %}
