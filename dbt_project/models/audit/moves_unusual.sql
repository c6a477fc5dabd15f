select
    record_kind,
    feed,
    symbol,
    trade_date,
    file,
    line_number,
    what
from {{ ref('session_move') }}
where
    record_kind = 'index_close'
    and trade_date >= {{ changed_from() }}
    and abs(change_pct) > {{ setting('index_pct') }}
order by abs(change_pct) desc
