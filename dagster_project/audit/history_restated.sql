-- What a file said until this run, and says otherwise now or not at all; the last sessions before
-- the clock are corrected every day.
with noticed as (
    select min(noticed_at) as since from raw.pending_rebuild
), recent as (
    select max(trade_date) as trade_date
    from main.dim_session
    where trade_date <= (select max(to_date) from raw.asked_dates)
), superseded as (
    select 'index_close' as record_kind, feed, symbol, trade_date, file_id, superseded_at
    from raw.index_close_superseded
    union all
    select 'security_close', feed, symbol, trade_date, file_id, superseded_at
    from raw.security_close_superseded
    union all
    select 'market_turnover', feed, market, trade_date, file_id, superseded_at
    from raw.market_turnover_superseded
    union all
    select 'exchange_rate', feed, base_currency || currency, trade_date, file_id, superseded_at
    from raw.exchange_rate_superseded
    union all
    select 'broker_target', feed, symbol, trade_date, file_id, superseded_at
    from raw.broker_target_superseded
)

select
    superseded.record_kind,
    superseded.feed,
    superseded.symbol,
    min(superseded.trade_date) as trade_date,
    file.path as file,
    count(*) || ' earlier record(s) of ' || superseded.symbol || ', ' || min(superseded.trade_date)
    || ' to ' || max(superseded.trade_date) || ', are stated otherwise than before, or no more'
        as what
from superseded
inner join raw.asked_dates as asked
    on superseded.trade_date between asked.from_date and asked.to_date
left join (
    select file_id, path from raw.file union select file_id, path from raw.file_superseded
) as file on superseded.file_id = file.file_id
where
    superseded.superseded_at >= (select since from noticed)
    and superseded.trade_date < (select trade_date from recent)
group by superseded.record_kind, superseded.feed, superseded.symbol, file.path

union all

-- A list of securities has no dates: what it said of an industry, and says otherwise now.
select
    'security_reference',
    now.feed,
    now.symbol,
    null,
    file.path,
    'industry ' || coalesce(now.industry, 'none') || ' after ' || coalesce(before.industry, 'none')
from raw.security_reference_superseded as before
inner join raw.security_reference as now using (feed, symbol)
inner join raw.file as file on now.file_id = file.file_id
where
    now.is_current
    and before.superseded_at >= (select since from noticed)
    and now.industry is distinct from before.industry
order by trade_date nulls last, file
