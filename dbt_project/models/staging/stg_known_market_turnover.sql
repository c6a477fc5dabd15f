with session as (

    select * from {{ ref('stg_known_session') }}

),

source as (

    select * from {{ source('raw', 'market_turnover') }}
    where is_current

),

renamed as (

    select
        feed,
        market,
        segment,
        trade_date,
        turnover,
        volume,
        deals,
        is_half_day as stated_half_day,
        currency,
        file_id,
        line_number
    from source

)

select
    renamed.feed,
    renamed.market,
    renamed.segment,
    renamed.trade_date,
    session.previous_trade_date,
    session.session_number,
    renamed.turnover,
    renamed.volume,
    renamed.deals,
    renamed.currency,
    renamed.file_id,
    renamed.line_number,
    session.is_half_day or coalesce(renamed.stated_half_day, false) as is_half_day,
    session.is_covered
from renamed
inner join session
    on
        renamed.market = session.market
        and renamed.trade_date = session.trade_date
