-- A single share may have resumed without a limit. Many of one file did not.
select
    'security_close' as record_kind,
    feed,
    market as symbol,
    trade_date,
    min(file) as file,
    min(line_number) as line_number,
    count(*) filter (where is_beyond_limit) || ' of ' || count(*)
    || ' shares moved beyond their limits, e.g. '
    || min(symbol) filter (where is_beyond_limit) as what
from {{ ref('session_move') }}
where trade_date >= {{ changed_from() }} and limit_pct is not null
group by feed, market, trade_date
having
    count(*) filter (where is_beyond_limit) >= {{ setting('securities') }}
    and count(*) filter (where is_beyond_limit) > {{ setting('share') }} * count(*)
order by trade_date desc, market asc
