-- A target may be stated on any day: it is kept on every day asked for, sessions or not.
with source as (

    select * from {{ source('raw', 'broker_target') }}
    where is_current

),

renamed as (

    select
        feed,
        symbol,
        broker,
        trade_date as target_date,
        target,
        currency
    from source

)

select
    renamed.feed,
    renamed.symbol,
    renamed.broker,
    renamed.target_date,
    renamed.target,
    renamed.currency
from renamed
inner join {{ source('raw', 'asked_dates') }} as asked
    on renamed.target_date between asked.from_date and asked.to_date
