-- Limits are rounded to the cent, as the exchange does; a share's first sessions have no limit.
with coverage as (
    select min(from_date) as first_date from {{ source('raw', 'asked_dates') }}
)

select
    moved.record_kind,
    moved.feed,
    moved.symbol,
    moved.trade_date,
    moved.file,
    moved.line_number,
    moved.low || ' to ' || moved.high || ', close ' || moved.close || ', previous close '
    || moved.previous_close || ': more than ' || moved.limit_pct || ' %' as what
from {{ ref('session_move') }} as moved
inner join {{ ref('dim_security') }} as security on moved.symbol = security.symbol
where
    moved.trade_date >= {{ changed_from() }}
    and moved.limit_pct is not null
    and moved.volume > 0
    and (
        greatest(moved.close, moved.high)
        > round(moved.previous_close * (1 + moved.limit_pct / 100), 2) + 0.0101
        or least(moved.close, moved.low)
        < round(moved.previous_close * (1 - moved.limit_pct / 100), 2) - 0.0101
    )
    and (
        security.first_trade_date <= (select coverage.first_date + 10 from coverage)
        or (
            select count(*)
            from {{ ref('dim_session') }} as session
            where
                session.market = moved.market
                and session.trade_date > security.first_trade_date
                and session.trade_date <= moved.trade_date
        ) >= {{ setting('first_sessions') }}
    )
order by abs(moved.change_pct) desc
