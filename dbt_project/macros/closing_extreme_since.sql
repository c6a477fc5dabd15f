{#
Since when a close is the highest or the lowest: for each row of `closes`, the latest earlier
session whose value was at or above it (closing_high_since), and the latest whose value was at or
below it (closing_low_since); null where there is none.

Args:
    closes: a relation or CTE with symbol, trade_date (unique together) and the value, of all of
        history, also in an incremental run.
    value: the column compared; rows without it are left out.
    of_securities: whether the rows of few securities may be rebuilt from an earlier date than those
        of all others.
Yields symbol, trade_date, closing_high_since, closing_low_since; in an incremental run of the rows
that it rebuilds.

Three ways give the same answer. A night compares its few sessions with all of history in one join,
which reads the history once per session. Otherwise DuckDB gives the history of each symbol as lists
to a function of ours, `closing_extremes` of list_functions.py. Other engines look first where most
answers are: in the five sessions before, then in the same month, then in the same year, then in the
latest year that has one, narrowed to its month and session. So a row is compared with tens of
others, not thousands.
#}
{% macro closing_extreme_since(closes, value, of_securities=false) -%}
    {%- if not is_incremental() -%}
        {{ closing_extreme_of_history(closes, value) }}
    {%- elif of_securities and rebuilt_series() -%}
        {{ closing_extreme_of_history(
            "(select * from " ~ closes ~ " where " ~ is_rebuilt_alone('symbol') ~ ")",
            value,
            rebuild_from()
        ) }}

        union all

        {{ closing_extreme_since_day(
            "(select * from " ~ closes ~ " where not " ~ is_rebuilt_alone('symbol') ~ ")",
            value,
            rebuild_all_from()
        ) }}
    {%- else -%}
        {{ closing_extreme_since_day(closes, value, rebuild_from()) }}
    {%- endif -%}
{%- endmacro %}


{% macro closing_extreme_since_day(closes, value, since) -%}
    {%- if days_since(since) <= 31 -%}
        {{ closing_extreme_since_by_join(closes, value, since) }}
    {%- else -%}
        {{ closing_extreme_of_history(closes, value, since) }}
    {%- endif -%}
{%- endmacro %}


{# Days from a date to the last covered date. #}
{% macro days_since(day) -%}
    {%- set days -%}
        select {{ dbt.datediff(day, 'max(to_date)', 'day') }}
        from {{ source('raw', 'asked_dates') }}
    {%- endset -%}
    {{ return(run_query(days).rows[0][0]) }}
{%- endmacro %}


{# The three ways; `since` is the first date whose rows are wanted, none for all. #}
{% macro closing_extreme_of_history(closes, value, since=none) -%}
    {{ return(adapter.dispatch('closing_extreme_of_history', 'closing_bell')(closes, value, since)) }}
{%- endmacro %}


{% macro closing_extreme_since_by_join(closes, value, since=none) -%}
    select
        sought.symbol,
        sought.trade_date,
        max(case when earlier.{{ value }} >= sought.{{ value }} then earlier.trade_date end)
            as closing_high_since,
        max(case when earlier.{{ value }} <= sought.{{ value }} then earlier.trade_date end)
            as closing_low_since
    from {{ closes }} as sought
    left join {{ closes }} as earlier
        on
            sought.symbol = earlier.symbol
            and sought.trade_date > earlier.trade_date
    where
        sought.{{ value }} is not null
        {% if since %}
            and sought.trade_date >= {{ since }}
        {% endif %}
    group by sought.symbol, sought.trade_date
{%- endmacro %}


{% macro closing_extreme_since_by_calendar(closes, value, since=none) -%}
    with five_sessions as (

        select
            symbol,
            trade_date,
            {{ value }} as close_value,
            cast({{ dbt.date_trunc('month', 'trade_date') }} as date) as in_month,
            cast({{ dbt.date_trunc('year', 'trade_date') }} as date) as in_year
            {%- for side, comparison in [('high', '>='), ('low', '<=')] %},
            case
                {%- for back in range(1, 6) %}
                when lag({{ value }}, {{ back }}) over by_session {{ comparison }} {{ value }}
                    then lag(trade_date, {{ back }}) over by_session
                {%- endfor %}
            end as {{ side }}_since
            {%- endfor %}
        from {{ closes }}
        where {{ value }} is not null
        window by_session as (partition by symbol order by trade_date)

    ),

    {% for side, top, comparison in [('high', 'max', '>='), ('low', 'min', '<=')] %}
    {{ side }}_of_month as (

        select
            symbol,
            in_year,
            in_month,
            {{ top }}(close_value) as extreme
        from five_sessions
        group by symbol, in_year, in_month

    ),

    {{ side }}_of_year as (

        select
            symbol,
            in_year,
            {{ top }}(extreme) as extreme
        from {{ side }}_of_month
        group by symbol, in_year

    ),

    {{ side }}_same_month as (

        select
            sought.symbol,
            sought.trade_date,
            sought.in_month,
            sought.in_year,
            sought.close_value,
            max(earlier.trade_date) as since
        from five_sessions as sought
        left join five_sessions as earlier
            on
                sought.symbol = earlier.symbol
                and sought.in_month = earlier.in_month
                and sought.trade_date > earlier.trade_date
                and earlier.close_value {{ comparison }} sought.close_value
        where
            sought.{{ side }}_since is null
            {% if since %}
                and sought.trade_date >= {{ since }}
            {% endif %}
        group by
            sought.symbol,
            sought.trade_date,
            sought.in_month,
            sought.in_year,
            sought.close_value

    ),

    {{ side }}_same_year as (

        select
            sought.symbol,
            sought.trade_date,
            sought.in_year,
            sought.close_value,
            max(earlier.in_month) as since_month
        from {{ side }}_same_month as sought
        left join {{ side }}_of_month as earlier
            on
                sought.symbol = earlier.symbol
                and sought.in_year = earlier.in_year
                and sought.in_month > earlier.in_month
                and earlier.extreme {{ comparison }} sought.close_value
        where sought.since is null
        group by sought.symbol, sought.trade_date, sought.in_year, sought.close_value

    ),

    {{ side }}_earlier_year as (

        select
            sought.symbol,
            sought.trade_date,
            sought.close_value,
            max(earlier.in_year) as since_year
        from {{ side }}_same_year as sought
        inner join {{ side }}_of_year as earlier
            on
                sought.symbol = earlier.symbol
                and sought.in_year > earlier.in_year
                and earlier.extreme {{ comparison }} sought.close_value
        where sought.since_month is null
        group by sought.symbol, sought.trade_date, sought.close_value

    ),

    {{ side }}_earlier_month as (

        select
            symbol,
            trade_date,
            close_value,
            since_month
        from {{ side }}_same_year
        where since_month is not null

        union all

        select
            sought.symbol,
            sought.trade_date,
            sought.close_value,
            max(earlier.in_month) as since_month
        from {{ side }}_earlier_year as sought
        inner join {{ side }}_of_month as earlier
            on
                sought.symbol = earlier.symbol
                and sought.since_year = earlier.in_year
                and earlier.extreme {{ comparison }} sought.close_value
        group by sought.symbol, sought.trade_date, sought.close_value

    ),

    {{ side }}_beyond as (

        select
            symbol,
            trade_date,
            since
        from {{ side }}_same_month
        where since is not null

        union all

        select
            sought.symbol,
            sought.trade_date,
            max(earlier.trade_date) as since
        from {{ side }}_earlier_month as sought
        inner join five_sessions as earlier
            on
                sought.symbol = earlier.symbol
                and sought.since_month = earlier.in_month
                and earlier.close_value {{ comparison }} sought.close_value
        group by sought.symbol, sought.trade_date

    ){{ ',' if not loop.last }}
    {% endfor %}
    select
        five_sessions.symbol,
        five_sessions.trade_date,
        coalesce(five_sessions.high_since, high_beyond.since) as closing_high_since,
        coalesce(five_sessions.low_since, low_beyond.since) as closing_low_since
    from five_sessions
    left join high_beyond
        on
            five_sessions.symbol = high_beyond.symbol
            and five_sessions.trade_date = high_beyond.trade_date
    left join low_beyond
        on
            five_sessions.symbol = low_beyond.symbol
            and five_sessions.trade_date = low_beyond.trade_date
    {% if since %}
        where five_sessions.trade_date >= {{ since }}
    {% endif %}
{%- endmacro %}
