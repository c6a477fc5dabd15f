-- Most of what the last release said of a symbol has become another figure: another unit, another
-- symbol's file, or a vendor that starts anew. A correction changes a few rows. What came after
-- the last release, and was never published, may be put right whole.
with noticed as (
    select min(noticed_at) as since from raw.pending_rebuild
), stated as (
    select 'index_close' as record_kind, feed, symbol, '' as segment, trade_date, close as figure,
        file_id, line_number
    from raw.index_close where is_current
    union all
    select 'security_close', feed, symbol, '', trade_date, close, file_id, line_number
    from raw.security_close where is_current
    union all
    select 'market_turnover', feed, market, segment, trade_date, turnover, file_id, line_number
    from raw.market_turnover where is_current
    union all
    select 'exchange_rate', feed, base_currency || currency, '', trade_date, rate, file_id,
        line_number
    from raw.exchange_rate where is_current
), superseded as (
    select 'index_close' as record_kind, feed, symbol, '' as segment, trade_date, close as figure,
        loaded_at, superseded_at
    from raw.index_close_superseded where is_current
    union all
    select 'security_close', feed, symbol, '', trade_date, close, loaded_at, superseded_at
    from raw.security_close_superseded where is_current
    union all
    select 'market_turnover', feed, market, segment, trade_date, turnover, loaded_at, superseded_at
    from raw.market_turnover_superseded where is_current
    union all
    select 'exchange_rate', feed, base_currency || currency, '', trade_date, rate, loaded_at,
        superseded_at
    from raw.exchange_rate_superseded where is_current
), released as (
    select superseded.*
    from superseded
    cross join noticed
    where superseded.loaded_at < noticed.since and superseded.superseded_at >= noticed.since
), compared as (
    select stated.*, released.figure as before,
        abs(stated.figure::double - released.figure)
        > (case stated.record_kind when 'market_turnover' then $turnover_pct else $pct end) / 100
        * abs(released.figure::double) as is_other
    from (
        from stated where (record_kind, feed, symbol) in (
            select record_kind, feed, symbol from released
        )
    ) as stated
    inner join raw.asked_dates as asked
        on stated.trade_date between asked.from_date and asked.to_date
    left join released
        on stated.record_kind = released.record_kind
        and stated.feed = released.feed
        and stated.symbol = released.symbol
        and stated.segment is not distinct from released.segment
        and stated.trade_date = released.trade_date
)

select
    compared.record_kind,
    compared.feed,
    compared.symbol,
    min(compared.trade_date) filter (where compared.is_other) as trade_date,
    arg_min(file.path, compared.trade_date) filter (where compared.is_other) as file,
    arg_min(compared.line_number, compared.trade_date) filter (where compared.is_other)
        as line_number,
    count(*) filter (where compared.is_other) || ' of ' || count(*) || ' records of '
    || compared.symbol || ' are now another figure, e.g. '
    || arg_max(compared.figure, compared.trade_date) filter (where compared.is_other) || ' after '
    || arg_max(compared.before, compared.trade_date) filter (where compared.is_other) || ' on '
    || max(compared.trade_date) filter (where compared.is_other) as what
from compared
inner join raw.file as file using (file_id)
group by compared.record_kind, compared.feed, compared.symbol
having
    count(*) filter (where compared.is_other) >= $rows
    and count(*) filter (where compared.is_other) > $share * count(*)
order by count(*) filter (where compared.is_other) desc
