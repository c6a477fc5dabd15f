-- Rates belong to no market: they are kept on every day up to the clock, session or not. Figures of
-- the first covered dates may need a rate from before them.
with clock as (

    select max(to_date) as trade_date from {{ source('raw', 'asked_dates') }}

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
inner join clock
    on renamed.rate_date <= clock.trade_date
