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
        lag(close) over by_session as close_before,
        lag(trade_date, 5) over by_session as fifth_before,
        lag(trade_date, 20) over by_session as twentieth_before,
        {{ latest_known(
            'case when not coalesce(high > low, false) then trade_date end', 'before'
        ) }} as stood_still_before
    from {{ ref('int_counted_security_close') }}
    where {{ is_changed(kind="'security_close'", sessions_before=true) }}
    window
        by_session as (partition by feed, symbol order by session_number),
        before as (
            partition by feed, symbol order by session_number
            rows between unbounded preceding and 1 preceding
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
inner join {{ ref('int_feed_session') }} as delivery
    on
        reported.feed = delivery.feed
        and reported.market = delivery.market
        and reported.trade_date = delivery.trade_date
left join {{ ref('dim_session') }} as session
    on
        reported.market = session.market
        and reported.trade_date = session.trade_date
where
    {{ is_changed('reported', kind="'security_close'") }}
    and reported.fifth_before is not null
    and (
        reported.stood_still_before is null
        or reported.stood_still_before < reported.twentieth_before
    )
    and reported.high = reported.low
    and reported.close = reported.high
    and reported.close = reported.close_before
    and coalesce(reported.stated_status, 'traded') <> 'suspended'
    and not (not delivery.has_volumes and coalesce(session.is_half_day, false))
order by reported.trade_date desc, reported.symbol asc
