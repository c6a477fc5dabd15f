-- Open, high, low and close are the previous close, though something was dealt: a suspended share
-- shown as traded, or a figure carried forward. Told where the share moved on all days before.
with stated as (
    select
        feed,
        symbol,
        trade_date,
        session_number,
        previous_trade_date,
        open,
        high,
        low,
        close,
        volume,
        file_id,
        line_number,
        lag(close) over by_session as close_before,
        count(*) filter (where high > low) over earlier as moved,
        count(*) over earlier as sessions
    from {{ ref('stg_security_close') }}
    where trade_date >= {{ dbt.dateadd('day', -45, changed_from()) }}
    window
        by_session as (partition by feed, symbol order by session_number),
        earlier as (
            partition by feed, symbol order by session_number
            rows between 20 preceding and 1 preceding
        )
)

select
    'security_close' as record_kind,
    stated.feed,
    stated.symbol,
    stated.trade_date,
    file.path as file,
    stated.line_number,
    'open, high, low and close are the close before, ' || stated.close || ', with a volume of '
    || stated.volume as what
from stated
inner join {{ source('raw', 'file') }} as file on stated.file_id = file.file_id
where
    stated.trade_date >= {{ changed_from() }}
    and stated.sessions >= 5
    and stated.moved = stated.sessions
    and stated.high = stated.low
    and stated.close = stated.high
    and stated.close = stated.close_before
order by stated.trade_date desc, stated.symbol asc
