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
        name_en,
        industry,
        listed,
        delisted,
        stated_on
    from source

)

select
    feed,
    symbol,
    market,
    name,
    name_en,
    industry,
    listed,
    delisted,
    stated_on
from renamed
