select
    stated.record_kind,
    stated.feed,
    stated.symbol,
    stated.trade_date,
    file.path as file,
    stated.line_number,
    'open, high, low, close and volume are those of ' || stated.previous_trade_date as what
from (from stated_close where trade_date >= $changed_from and high > low and coalesce(volume, 1) > 0)
    as stated
inner join stated_close as before
    on stated.feed = before.feed
    and stated.symbol = before.symbol
    and stated.previous_trade_date = before.trade_date
    and stated.close = before.close
    and stated.open = before.open
    and stated.high = before.high
    and stated.low = before.low
    and stated.volume is not distinct from before.volume
inner join raw.file as file on stated.file_id = file.file_id
order by stated.trade_date desc, file.path
