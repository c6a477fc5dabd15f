-- Some feeds list a suspended security without any price: it has no close, and is none.
with session as (

    select * from {{ ref('stg_session') }}

),

source as (

    select * from {{ source('raw', 'security_close') }}
    where
        is_current
        and close is null
        and status = 'suspended'

),

renamed as (

    select
        feed,
        symbol,
        {{ market_of_security('symbol') }} as market,
        trade_date,
        name,
        file_id,
        line_number
    from source

)

select
    renamed.feed,
    renamed.symbol,
    renamed.market,
    renamed.trade_date,
    renamed.name,
    renamed.file_id,
    renamed.line_number
from renamed
inner join session
    on
        renamed.market = session.market
        and renamed.trade_date = session.trade_date
