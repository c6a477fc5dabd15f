with source as (

    select * from {{ source('raw', 'security_reference') }}
    where is_current

),

renamed as (

    select
        feed,
        symbol,
        {{ market_of_security('symbol') }} as market,
        name,
        industry,
        listed,
        delisted
    from source

)

select
    feed,
    symbol,
    market,
    name,
    industry,
    listed,
    delisted
from renamed
