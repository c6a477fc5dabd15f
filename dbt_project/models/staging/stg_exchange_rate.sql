-- Rates belong to no market: they are kept on every day asked for, sessions or not.
with source as (

    select * from {{ source('raw', 'exchange_rate') }}
    where is_current

),

renamed as (

    select
        feed,
        base_currency,
        currency,
        trade_date as rate_date,
        rate
    from source

)

select
    renamed.feed,
    renamed.base_currency,
    renamed.currency,
    renamed.rate_date,
    renamed.rate
from renamed
inner join {{ source('raw', 'asked_dates') }} as asked
    on renamed.rate_date between asked.from_date and asked.to_date
