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
    and (
        abs(moved.change_pct) > $index_pct
        or moved.high > (1 + $index_pct / 100) * moved.previous_close
        or moved.low < (1 - $index_pct / 100) * moved.previous_close
    )
union all
select
    'security_close',
    moved.feed,
    moved.symbol,
    moved.trade_date,
    file.path,
    origin.line_number,
    round(moved.change_pct, 2) || ' %, from ' || moved.previous_close || ' to ' || moved.close
from main.security_performance as moved
inner join raw.security_close as origin using (feed, symbol, trade_date)
inner join raw.file as file using (file_id)
where
    moved.trade_date >= $changed_from
    and origin.is_current
    and (
        abs(moved.change_pct) > $security_pct
        or moved.high > (1 + $security_pct / 100) * greatest(moved.previous_close, moved.close)
        or moved.low < (1 - $security_pct / 100) * least(moved.previous_close, moved.close)
    )
order by record_kind, trade_date desc
