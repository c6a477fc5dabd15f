-- Most of what the last release said of a symbol has become another figure: another unit, another
-- symbol's file, or a vendor that starts anew. A correction changes a few rows.
with rewritten as (
    select restated.record_kind, restated.feed, restated.about, restated.trade_date,
        restated.file_id_now as file_id, restated.line_number_now as line_number,
        coalesce(restated.close, restated.rate, restated.turnover) as before,
        coalesce(restated.close_now, restated.rate_now, restated.turnover_now) as figure
    from released_otherwise as restated
    inner join raw.asked_dates as asked
        on restated.trade_date between asked.from_date and asked.to_date
    where
        restated.record_kind in (
            'index_close', 'security_close', 'market_turnover', 'exchange_rate'
        )
        and abs(figure::double - before) > abs(before::double) / 100
        * case restated.record_kind when 'market_turnover' then $turnover_pct else $pct end
), held as (
    select record.feed, record.about, count(*) as records
    from (
        select feed, trade_date, symbol as about from raw.index_close where is_current
        union all
        select feed, trade_date, symbol from raw.security_close where is_current
        union all
        select feed, trade_date, market from raw.market_turnover where is_current
        union all
        select feed, trade_date, base_currency || currency from raw.exchange_rate where is_current
    ) as record
    inner join raw.asked_dates as asked
        on record.trade_date between asked.from_date and asked.to_date
    where record.about in (select about from rewritten)
    group by record.feed, record.about
)

select
    rewritten.record_kind,
    rewritten.feed,
    rewritten.about as symbol,
    min(rewritten.trade_date) as trade_date,
    file.path as file,
    arg_min(rewritten.line_number, rewritten.trade_date) as line_number,
    count(*) || ' of ' || any_value(held.records) || ' records of ' || rewritten.about
    || ' are now another figure, e.g. ' || arg_max(rewritten.figure, rewritten.trade_date)
    || ' after ' || arg_max(rewritten.before, rewritten.trade_date) || ' on '
    || max(rewritten.trade_date) as what
from rewritten
inner join held using (feed, about)
inner join raw.file as file using (file_id)
group by rewritten.record_kind, rewritten.feed, rewritten.about, file.path
having count(*) >= $rows and count(*) > $share * any_value(held.records)
order by count(*) desc
