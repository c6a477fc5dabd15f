select
    record_kind,
    feed,
    symbol,
    trade_date,
    file,
    line_number,
    measure || ' ' || stated || ', but ' || other_stated || ' in ' || other_file || ':'
    || other_line_number || ' (' || round(difference_pct, 3) || ' %)' as what
from {{ ref('source_disagreement') }}
where trade_date >= {{ changed_from() }}
order by abs(difference_pct) desc
