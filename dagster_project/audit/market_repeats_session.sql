-- Of the symbols that a feed has at two sessions that follow each other, most stand still to the
-- last digit. What did not trade, or traded at one price only, may well.
with stated as (
    select feed, market, symbol, trade_date, previous_trade_date, open, high, low, close, volume,
        file_id, line_number
    from staging.stg_security_close
)

select
    'security_close' as record_kind,
    stated.feed,
    stated.market as symbol,
    stated.trade_date,
    min(file.path) as file,
    min(stated.line_number) as line_number,
    count(*) filter (where stated.close = before.close and stated.open = before.open
        and stated.high = before.high and stated.low = before.low
        and stated.volume is not distinct from before.volume)
    || ' of ' || count(*) || ' symbols have the prices and volume of '
    || stated.previous_trade_date as what
from (from stated where trade_date >= $changed_from and coalesce(volume, 1) > 0) as stated
inner join stated as before
    on stated.feed = before.feed
    and stated.symbol = before.symbol
    and stated.previous_trade_date = before.trade_date
inner join raw.file as file on stated.file_id = file.file_id
where stated.high > stated.low
group by stated.feed, stated.market, stated.trade_date, stated.previous_trade_date
having
    count(*) >= $symbols
    and count(*) filter (where stated.close = before.close and stated.open = before.open
        and stated.high = before.high and stated.low = before.low
        and stated.volume is not distinct from before.volume) >= $share * count(*)
order by stated.trade_date desc
