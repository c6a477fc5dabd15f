select
    'market_event' as record_kind,
    event.feed,
    event.event as symbol,
    event.trade_date,
    file.path as file,
    event.line_number,
    'basket ' || event.basket || ' is not in seeds/basket.csv' as what
from {{ source('raw', 'market_event') }} as event
inner join {{ source('raw', 'file') }} as file on event.file_id = file.file_id
where
    event.is_current
    and event.basket not in (select known.basket from {{ ref('basket') }} as known)
order by event.trade_date
