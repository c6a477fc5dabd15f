-- An event may happen on any day: it is kept on every covered date, session or not.
with covered as (

    select * from {{ source('raw', 'asked_dates') }}

),

source as (

    select * from {{ source('raw', 'market_event') }}
    where is_current

),

renamed as (

    select
        feed,
        event as event_id,
        trade_date as event_date,
        basket,
        what
    from source

)

select
    renamed.feed,
    renamed.event_id,
    renamed.event_date,
    renamed.basket,
    renamed.what
from renamed
inner join covered
    on renamed.event_date between covered.from_date and covered.to_date
