with source as (

    select * from {{ source('raw', 'session') }}

)

select
    market,
    trade_date,
    lag(trade_date) over (partition by market order by trade_date) as previous_trade_date,
    cast(row_number() over (partition by market order by trade_date) as integer) as session_number,
    is_half_day,
    closes_at,
    source as calendar_source,
    is_guessed
from source
