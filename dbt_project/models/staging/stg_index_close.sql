with known as (

    select * from {{ ref('stg_known_index_close') }}

)

select
    feed,
    symbol,
    market,
    trade_date,
    previous_trade_date,
    session_number,
    open,
    high,
    low,
    close,
    stated_previous_close,
    stated_change,
    stated_change_pct,
    volume,
    turnover,
    currency,
    file_id,
    line_number
from known
where is_covered
