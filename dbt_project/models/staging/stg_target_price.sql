-- A target may be published on any day: it is kept on every covered date, session or not.
with covered as (

    select * from {{ source('raw', 'asked_dates') }}

),

source as (

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
inner join covered
    on renamed.target_date between covered.from_date and covered.to_date
