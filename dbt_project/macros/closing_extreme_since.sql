{#
Since when a close is the highest or the lowest: for each row of `closes`, the latest earlier
session whose value was at or above it (closing_high_since), and the latest whose value was at or
below it (closing_low_since); null where there is none.

Args:
    closes: a relation or CTE with symbol, trade_date (unique together) and the value. In an
        incremental run its rows count from `rebuild_from()` on; the earlier ones are read from the
        model's own table, which must have these columns too.
    value: the column compared; not null.
    carried: further columns of both to pass through, where joining millions of rows back to them
        would be slow.
    holds_history: whether `closes` has all earlier rows itself, also in an incremental run, so that
        none is read from the model's own table.
Yields symbol, trade_date, the carried columns, closing_high_since, closing_low_since.

Two ways give the same answer. A night compares its few sessions with all of history in one join,
which reads the history once per session. A full refresh first looks where most answers are: in the
five sessions before, then in the same month, then in the same year, then in the latest year that
has one, narrowed to its month and session. So a row is compared with tens of others, not thousands.
#}
{% macro closing_extreme_since(closes, value, carried=[], holds_history=false) -%}
    {%- if is_incremental() and days_to_rebuild() <= 31 -%}
        {{ closing_extreme_since_by_join(closes, value, carried, holds_history) }}
    {%- else -%}
        {{ closing_extreme_since_by_calendar(closes, value, carried, holds_history) }}
    {%- endif -%}
{%- endmacro %}


{# Days from the rebuild date to the last covered date. #}
{% macro days_to_rebuild() -%}
    {%- set days -%}
        select {{ dbt.datediff(rebuild_from(), 'max(to_date)', 'day') }}
        from {{ source('raw', 'asked_dates') }}
    {%- endset -%}
    {{ return(run_query(days).rows[0][0]) }}
{%- endmacro %}


{# The rows that need an answer, or all where `with_earlier`. #}
{% macro sessions_sought(closes, value, carried=[], with_earlier=false) -%}
    select
        symbol,
        trade_date,
        {%- for column in carried %}
        {{ column }},
        {%- endfor %}
        {{ value }} as close_value
    from {{ closes }}
    {% if is_incremental() and not with_earlier %}
        where trade_date >= {{ rebuild_from() }}
    {% endif %}
{%- endmacro %}


{# The rows that may be the answer: those that need one, and all earlier ones. #}
{% macro sessions_known(closes, value, carried=[], holds_history=false) -%}
    {{ sessions_sought(closes, value, carried, with_earlier=holds_history) }}
    {% if is_incremental() and not holds_history %}
        union all

        select
            symbol,
            trade_date,
            {%- for column in carried %}
            {{ column }},
            {%- endfor %}
            {{ value }} as close_value
        from {{ this }}
        where trade_date < {{ rebuild_from() }}
    {% endif %}
{%- endmacro %}


{% macro closing_extreme_since_by_join(closes, value, carried=[], holds_history=false) -%}
    select
        sought.symbol,
        sought.trade_date,
        {%- for column in carried %}
        sought.{{ column }},
        {%- endfor %}
        max(case when earlier.close_value >= sought.close_value then earlier.trade_date end)
            as closing_high_since,
        max(case when earlier.close_value <= sought.close_value then earlier.trade_date end)
            as closing_low_since
    from ({{ sessions_sought(closes, value, carried) }}) as sought
    left join ({{ sessions_known(closes, value, [], holds_history) }}) as earlier
        on
            sought.symbol = earlier.symbol
            and sought.trade_date > earlier.trade_date
    group by sought.symbol, sought.trade_date
        {%- for column in carried %}, sought.{{ column }}{% endfor %}
{%- endmacro %}


{% macro closing_extreme_since_by_calendar(closes, value, carried=[], holds_history=false) -%}
    with five_sessions as (

        select
            symbol,
            trade_date,
            {%- for column in carried %}
            {{ column }},
            {%- endfor %}
            close_value,
            cast({{ dbt.date_trunc('month', 'trade_date') }} as date) as in_month,
            cast({{ dbt.date_trunc('year', 'trade_date') }} as date) as in_year
            {%- for side, comparison in [('high', '>='), ('low', '<=')] %},
            case
                {%- for back in range(1, 6) %}
                when lag(close_value, {{ back }}) over by_session {{ comparison }} close_value
                    then lag(trade_date, {{ back }}) over by_session
                {%- endfor %}
            end as {{ side }}_since
            {%- endfor %}
        from ({{ sessions_known(closes, value, carried, holds_history) }}) as known
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
            {% if is_incremental() %}
                and sought.trade_date >= {{ rebuild_from() }}
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
        {%- for column in carried %}
        five_sessions.{{ column }},
        {%- endfor %}
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
    {% if is_incremental() %}
        where five_sessions.trade_date >= {{ rebuild_from() }}
    {% endif %}
{%- endmacro %}
