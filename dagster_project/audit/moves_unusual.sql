select
    'index_close' as record_kind,
    moved.feed,
    moved.symbol,
    moved.trade_date,
    file.path as file,
    origin.line_number,
    round(moved.change_pct, 2) || ' %, from ' || moved.previous_close || ' to ' || moved.close as what
from main.index_performance as moved
inner join raw.index_close as origin using (feed, symbol, trade_date)
inner join raw.file as file using (file_id)
where
    moved.trade_date >= $changed_from
    and origin.is_current
    and abs(moved.change_pct) > $index_pct
order by abs(moved.change_pct) desc
