with known as (

    select * from {{ ref('stg_known_market_turnover') }}

)

select
    feed,
    market,
    segment,
    trade_date,
    previous_trade_date,
    session_number,
    turnover,
    volume,
    deals,
    currency,
    file_id,
    line_number,
    is_half_day
from known
where is_covered
