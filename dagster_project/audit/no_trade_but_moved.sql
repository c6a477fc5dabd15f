select
    'security_close' as record_kind,
    moved.feed,
    moved.symbol,
    moved.trade_date,
    file.path as file,
    origin.line_number,
    'no volume, but low ' || moved.low || ', high ' || moved.high || ', close ' || moved.close
    || ' after ' || moved.previous_close as what
from main.security_performance as moved
inner join raw.security_close as origin using (feed, symbol, trade_date)
inner join raw.file as file using (file_id)
where
    moved.trade_date >= $changed_from
    and origin.is_current
    and (moved.volume = 0 or moved.status <> 'traded')
    and (moved.high > moved.low or abs(moved.change) > 0.0001 * moved.previous_close::double)
order by moved.trade_date desc, moved.symbol
