-- Rates belong to no market: they are kept on every covered date, session or not.
with covered as (

    select * from {{ source('raw', 'asked_dates') }}

),

source as (

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
inner join covered
    on renamed.rate_date between covered.from_date and covered.to_date
