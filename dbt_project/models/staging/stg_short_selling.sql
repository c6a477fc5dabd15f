with session as (

    select * from {{ ref('stg_session') }}

),

source as (

    select * from {{ source('raw', 'short_selling') }}
    where is_current

),

renamed as (

    select
        feed,
        symbol,
        {{ market_of_security('symbol') }} as market,
        trade_date,
        currency,
        volume,
        turnover,
        volume_of_security,
        turnover_of_security,
        file_id,
        line_number
    from source

)

select
    renamed.feed,
    renamed.symbol,
    renamed.market,
    renamed.trade_date,
    renamed.currency,
    renamed.volume,
    renamed.turnover,
    renamed.volume_of_security,
    renamed.turnover_of_security,
    renamed.file_id,
    renamed.line_number
from renamed
inner join session
    on
        renamed.market = session.market
        and renamed.trade_date = session.trade_date
