-- Where no limit is known to apply, limit_pct is null: first sessions, funds.
select
    record_kind,
    feed,
    symbol,
    trade_date,
    file,
    line_number,
    low || ' to ' || high || ', close ' || close || ', previous close ' || previous_close
    || ': more than ' || limit_pct || ' %' as what
from {{ ref('session_move') }}
where {{ is_changed() }} and is_beyond_limit
order by abs(change_pct) desc
