select
    'market_event' as record_kind,
    event.feed,
    event.event as symbol,
    event.trade_date,
    file.path as file,
    event.line_number,
    'basket ' || event.basket || ' is none of seeds/basket.csv' as what
from raw.market_event as event
inner join raw.file as file using (file_id)
where
    event.is_current
    and event.basket not in (select basket from seed.basket)
order by event.trade_date
