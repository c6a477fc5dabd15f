with session as (

    select * from {{ ref('stg_session') }}

),

source as (

    select * from {{ source('raw', 'security_close') }}
    where
        is_current
        and close is not null

),

renamed as (

    select
        feed,
        symbol,
        {{ market_of_security('symbol') }} as market,
        trade_date,
        name,
        open,
        high,
        low,
        close,
        previous_close as stated_previous_close,
        change as stated_change,
        change_pct as stated_change_pct,
        volume,
        turnover,
        turnover_rate_pct,
        currency,
        status as stated_status,
        is_special_treatment,
        file_id,
        line_number
    from source

)

select
    renamed.feed,
    renamed.symbol,
    renamed.market,
    renamed.trade_date,
    session.previous_trade_date,
    session.session_number,
    renamed.name,
    renamed.open,
    renamed.high,
    renamed.low,
    renamed.close,
    renamed.stated_previous_close,
    renamed.stated_change,
    renamed.stated_change_pct,
    renamed.volume,
    renamed.turnover,
    renamed.turnover_rate_pct,
    renamed.currency,
    renamed.stated_status,
    renamed.is_special_treatment,
    renamed.file_id,
    renamed.line_number
from renamed
inner join session
    on
        renamed.market = session.market
        and renamed.trade_date = session.trade_date
