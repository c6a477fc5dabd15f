-- What the marts say of a session's move, with the line that the close stands on.
select
    'index_close' as record_kind,
    moved.*,
    file.path as file,
    origin.line_number,
    round(moved.change_pct, 2) || ' %, from ' || moved.previous_close || ' to ' || moved.close as what
from main.index_performance as moved
inner join raw.index_close as origin using (feed, symbol, trade_date)
inner join raw.file as file using (file_id)
where origin.is_current
union all by name
select
    'security_close' as record_kind,
    moved.*,
    file.path as file,
    origin.line_number,
    round(moved.change_pct, 2) || ' %, from ' || moved.previous_close || ' to ' || moved.close as what
from main.security_performance as moved
inner join raw.security_close as origin using (feed, symbol, trade_date)
inner join raw.file as file using (file_id)
where origin.is_current
