select
    'security_close' as record_kind,
    symbol,
    'has no sector: no list of securities names its industry, and no seed its sector' as what
from {{ ref('dim_security') }}
where sector is null and first_trade_date is not null
order by symbol
