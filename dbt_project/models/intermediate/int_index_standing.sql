with closes as (

    select
        *,
        case when change > 0 then 1 when change < 0 then -1 else 0 end as direction
    from {{ ref('int_index_close') }}

),

followed as (

    select
        *,
        case
            when
                lag(direction) over by_session = direction
                and lag(session_number) over by_session = session_number - 1
                then 0
            else 1
        end as is_turn
    from closes
    window by_session as (partition by symbol order by trade_date)

),

-- Sessions in a row in the same direction have the same number.
run as (

    select
        *,
        sum(is_turn) over (
            partition by symbol order by trade_date
            rows between unbounded preceding and current row
        ) as run_number
    from followed

),

compared as (

    select
        symbol,
        trade_date,
        close,
        change,
        direction,
        row_number() over (
            partition by symbol, run_number order by trade_date
        ) as sessions_in_run,
        min(trade_date) over (partition by symbol) as record_begins,
        max(close) over up_to_now as highest,
        max(close) over in_52_weeks as highest_52w,
        min(close) over in_52_weeks as lowest_52w
    from run
    window
        up_to_now as (
            partition by symbol order by trade_date
            rows between unbounded preceding and current row
        ),
        in_52_weeks as (
            partition by symbol
            order by {{ dbt.datediff("cast('1990-01-01' as date)", 'trade_date', 'day') }}
            range between 364 preceding and current row
        )

),

-- A record that is shorter than 52 weeks has no extremes of 52 weeks.
dated as (

    select
        *,
        record_begins <= {{ dbt.dateadd('day', -364, 'trade_date') }} as has_52_weeks
    from compared

)

select
    symbol,
    trade_date,
    record_begins,
    case when change is not null then cast(direction * sessions_in_run as integer) end as streak,
    case when has_52_weeks then highest_52w end as high_52w,
    case when has_52_weeks then lowest_52w end as low_52w,
    {{ pct_change('close', 'highest') }} as drawdown_pct
from dated
