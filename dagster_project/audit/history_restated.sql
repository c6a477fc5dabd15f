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

-- A list of securities has no dates: what it said of an industry, and says otherwise now or not at
-- all.
select
    'security_reference',
    before.feed,
    before.symbol,
    null,
    file.path,
    case
        when now.symbol is null then 'is no longer in the list'
        else
            'industry ' || coalesce(now.industry, 'none') || ' after '
            || coalesce(before.industry, 'none')
    end
from raw.security_reference_superseded as before
left join raw.security_reference as now
    on before.feed = now.feed and before.symbol = now.symbol and now.is_current
left join (
    select file_id, path from raw.file union select file_id, path from raw.file_superseded
) as file on before.file_id = file.file_id
where
    before.superseded_at >= (select since from noticed)
    and (now.symbol is null or now.industry is distinct from before.industry)

union all

select
    'market_event',
    before.feed,
    before.event,
    before.trade_date,
    file.path,
    'the event of ' || before.trade_date || ' for ' || before.basket
    || ' is stated otherwise than before, or no more'
from raw.market_event_superseded as before
left join (
    select file_id, path from raw.file union select file_id, path from raw.file_superseded
) as file on before.file_id = file.file_id
where before.superseded_at >= (select since from noticed)
order by trade_date nulls last, file
