select
    'security_close' as record_kind,
    feed,
    symbol,
    max(trade_date) as trade_date,
    'has no sector: no list of securities names its industry, and no seed its sector' as what
from {{ ref('security_performance') }}
where trade_date >= {{ changed_from() }} and sector is null
group by feed, symbol
order by symbol, feed
