-- What the marts say of a session's move, with the line that the close stands on.
with moved as (
    select 'index_close' as record_kind, moved.*, origin.file_id, origin.line_number
    from main.index_performance as moved
    inner join raw.index_close as origin using (feed, symbol, trade_date)
    where origin.is_current
    union all by name
    select 'security_close' as record_kind, moved.*, origin.file_id, origin.line_number
    from main.security_performance as moved
    inner join raw.security_close as origin using (feed, symbol, trade_date)
    where origin.is_current
)

select
    moved.*,
    file.path as file,
    round(moved.change_pct, 2) || ' %, from ' || moved.previous_close || ' to ' || moved.close as what
from moved
inner join raw.file as file using (file_id)
