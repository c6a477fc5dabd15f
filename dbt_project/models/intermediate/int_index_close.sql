with reported as (

    select * from {{ ref('stg_known_index_close') }}

),

-- Never a close of longer ago: a change over two sessions must not look like one over one.
referenced as (

    select
        reported.*,
        coalesce(
            reported.stated_previous_close,
            reported.close - reported.stated_change,
            before.close
        ) as previous_close
    from reported
    left join reported as before
        on
            reported.feed = before.feed
            and reported.symbol = before.symbol
            and reported.previous_trade_date = before.trade_date

),

chosen as (

    {{ from_best_feed('referenced', ['symbol', 'trade_date']) | indent(4) }}

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
    cast(previous_close as decimal(18, 6)) as previous_close,
    cast(close - previous_close as decimal(18, 6)) as change,
    {{ pct_change('close', 'previous_close') }} as change_pct,
    volume,
    turnover,
    feed,
    is_covered
from chosen
