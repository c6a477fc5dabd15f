-- Open, high, low and close equal the previous close, although there was volume: a suspended share
-- shown as traded, or a figure carried forward. Only where the share moved on all days before. Not
-- where the feed says that it was suspended, nor on half-days of which a vendor knows no volume.
with reported as (
    select
        feed,
        symbol,
        market,
        trade_date,
        session_number,
        previous_trade_date,
        open,
        high,
        low,
        close,
        volume,
        stated_status,
        file_id,
        line_number,
        max(volume) over (partition by feed, market, trade_date) as largest_of_feed,
        lag(close) over by_session as close_before,
        count(*) filter (where high > low) over earlier as moved,
        count(*) over earlier as sessions
    from {{ ref('int_counted_security_close') }}
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
    reported.feed,
    reported.symbol,
    reported.trade_date,
    file.path as file,
    reported.line_number,
    'open, high, low and close are the close before, ' || reported.close || ', with a volume of '
    || reported.volume as what
from reported
inner join {{ source('raw', 'file') }} as file on reported.file_id = file.file_id
left join {{ ref('dim_session') }} as session
    on
        reported.market = session.market
        and reported.trade_date = session.trade_date
where
    reported.trade_date >= {{ changed_from() }}
    and reported.sessions >= 5
    and reported.moved = reported.sessions
    and reported.high = reported.low
    and reported.close = reported.high
    and reported.close = reported.close_before
    and coalesce(reported.stated_status, 'traded') <> 'suspended'
    and not (coalesce(reported.largest_of_feed, 0) = 0 and coalesce(session.is_half_day, false))
order by reported.trade_date desc, reported.symbol asc
