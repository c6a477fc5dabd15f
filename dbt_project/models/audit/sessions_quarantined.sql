select
    'security_close' as record_kind,
    quarantined.feed,
    quarantined.market as symbol,
    quarantined.trade_date,
    file.path as file,
    quarantined.line_number,
    quarantined.reason || '; none of its ' || quarantined.securities || ' securities of '
    || quarantined.market || ' counts' as what
from {{ ref('int_feed_session') }} as quarantined
inner join {{ source('raw', 'file') }} as file on quarantined.file_id = file.file_id
where quarantined.is_quarantined and quarantined.trade_date >= {{ changed_from() }}
order by quarantined.trade_date desc, quarantined.feed asc, quarantined.market asc
