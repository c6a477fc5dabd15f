-- Most of what a feed said of a symbol has become another figure: another unit, another symbol's
-- file, or a vendor that starts anew. A correction changes a few rows.
with noticed as (
    select min(noticed_at) as since from raw.pending_rebuild
), rewritten as (
    select 'index_close' as record_kind, now.feed, now.symbol, now.trade_date, now.file_id,
        now.line_number, before.close as before, now.close as figure
    from raw.index_close_superseded as before
    inner join raw.index_close as now using (feed, symbol, trade_date)
    where now.is_current and before.superseded_at >= (select since from noticed)
    union all
    select 'security_close', now.feed, now.symbol, now.trade_date, now.file_id,
        now.line_number, before.close, now.close
    from raw.security_close_superseded as before
    inner join raw.security_close as now using (feed, symbol, trade_date)
    where now.is_current and before.superseded_at >= (select since from noticed)
    union all
    select 'market_turnover', now.feed, now.market, now.trade_date, now.file_id,
        now.line_number, before.turnover, now.turnover
    from raw.market_turnover_superseded as before
    inner join raw.market_turnover as now using (feed, market, segment, trade_date)
    where now.is_current and before.superseded_at >= (select since from noticed)
    union all
    select 'exchange_rate', now.feed, now.base_currency || now.currency, now.trade_date,
        now.file_id, now.line_number, before.rate, now.rate
    from raw.exchange_rate_superseded as before
    inner join raw.exchange_rate as now using (feed, base_currency, currency, trade_date)
    where now.is_current and before.superseded_at >= (select since from noticed)
), held as (
    select 'index_close' as record_kind, feed, symbol, count(*) as records
    from raw.index_close where is_current group by all
    union all
    select 'security_close', feed, symbol, count(*)
    from raw.security_close where is_current group by all
    union all
    select 'market_turnover', feed, market, count(*)
    from raw.market_turnover where is_current group by all
    union all
    select 'exchange_rate', feed, base_currency || currency, count(*)
    from raw.exchange_rate where is_current group by all
)

select
    rewritten.record_kind,
    rewritten.feed,
    rewritten.symbol,
    min(rewritten.trade_date) as trade_date,
    file.path as file,
    arg_min(rewritten.line_number, rewritten.trade_date) as line_number,
    count(*) || ' of ' || any_value(held.records) || ' records of ' || rewritten.symbol
    || ' are now another figure, e.g. ' || arg_max(rewritten.figure, rewritten.trade_date)
    || ' after ' || arg_max(rewritten.before, rewritten.trade_date) || ' on '
    || max(rewritten.trade_date) as what
from rewritten
inner join held using (record_kind, feed, symbol)
inner join raw.file as file using (file_id)
where abs(rewritten.figure::double - rewritten.before) > 0.01 * abs(rewritten.before::double)
group by rewritten.record_kind, rewritten.feed, rewritten.symbol, file.path
having count(*) >= $rows and count(*) > $share * any_value(held.records)
order by count(*) desc
