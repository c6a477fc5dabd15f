with session as (

    select * from {{ ref('stg_calendar') }}

),

source as (

    select * from {{ source('raw', 'security_valuation') }}
    where is_current

),

renamed as (

    select
        feed,
        symbol,
        {{ market_of_security('symbol') }} as market,
        trade_date,
        turnover_rate_pct,
        float_cap,
        total_cap,
        currency,
        file_id,
        line_number
    from source

)

-- The session after is that at which these values are those of the evening before.
select
    renamed.feed,
    renamed.symbol,
    renamed.market,
    renamed.trade_date,
    session.trade_date as next_trade_date,
    renamed.turnover_rate_pct,
    renamed.float_cap,
    renamed.total_cap,
    renamed.currency,
    renamed.file_id,
    renamed.line_number
from renamed
inner join session
    on
        renamed.market = session.market
        and renamed.trade_date = session.previous_trade_date
