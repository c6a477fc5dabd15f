with source as (

    select * from {{ source('raw', 'security_name') }}
    where is_current

),

renamed as (

    select
        feed,
        symbol,
        trade_date as valid_from,
        name,
        file_id,
        line_number
    from source

)

select
    feed,
    symbol,
    valid_from,
    name,
    file_id,
    line_number
from renamed
