with definition as (

    select * from {{ ref('index_definition') }}

),

session as (

    select * from {{ ref('stg_known_session') }}

),

source as (

    select * from {{ source('raw', 'index_close') }}
    where is_current

),

renamed as (

    select
        source.feed,
        source.symbol,
        definition.market,
        source.trade_date,
        source.open,
        source.high,
        source.low,
        source.close,
        source.previous_close as stated_previous_close,
        source.change as stated_change,
        source.change_pct as stated_change_pct,
        source.volume,
        source.turnover,
        source.currency,
        source.file_id,
        source.line_number
    from source
    inner join definition
        on source.symbol = definition.symbol

)

select
    renamed.feed,
    renamed.symbol,
    renamed.market,
    renamed.trade_date,
    session.previous_trade_date,
    session.session_number,
    renamed.open,
    renamed.high,
    renamed.low,
    renamed.close,
    renamed.stated_previous_close,
    renamed.stated_change,
    renamed.stated_change_pct,
    renamed.volume,
    renamed.turnover,
    renamed.currency,
    renamed.file_id,
    renamed.line_number,
    session.is_covered
from renamed
inner join session
    on
        renamed.market = session.market
        and renamed.trade_date = session.trade_date
