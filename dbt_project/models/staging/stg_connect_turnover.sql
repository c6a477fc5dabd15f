-- The file of a day is there also where one of its markets is closed: any covered date is kept.
with covered as (

    select * from {{ source('raw', 'asked_dates') }}

),

source as (

    select * from {{ source('raw', 'connect_turnover') }}
    where is_current

),

renamed as (

    select
        feed,
        trade_date,
        channel,
        direction,
        currency,
        is_open,
        turnover,
        buy,
        sell,
        deals,
        file_id,
        line_number
    from source

)

select
    renamed.feed,
    renamed.trade_date,
    renamed.channel,
    renamed.direction,
    renamed.currency,
    renamed.is_open,
    renamed.turnover,
    renamed.buy,
    renamed.sell,
    renamed.deals,
    renamed.file_id,
    renamed.line_number
from renamed
inner join covered
    on renamed.trade_date between covered.from_date and covered.to_date
