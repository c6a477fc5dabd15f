with closes as (

    select
        symbol,
        {{ market_of_security('symbol') }} as market,
        trade_date,
        session_number,
        return_index,
        record_begins
    from {{ ref('int_security_close') }}

)

{{ session_returns(
    'closes',
    'return_index',
    back=[20],
    since={'return_ytd_pct': 'year_before'},
    comparable_from='record_begins'
) }}
