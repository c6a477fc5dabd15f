-- An event may happen on any day: it is kept on every day asked for, sessions or not.
with source as (

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
inner join {{ source('raw', 'asked_dates') }} as asked
    on renamed.event_date between asked.from_date and asked.to_date
