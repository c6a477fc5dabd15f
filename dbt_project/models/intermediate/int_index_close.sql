with reported as (

    {{ from_best_feed(ref('stg_index_close'), ['symbol', 'trade_date']) | indent(4) }}

)

select
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
    feed
from reported
