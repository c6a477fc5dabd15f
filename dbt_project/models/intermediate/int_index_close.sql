-- An index and a session, from the feed of the best priority.
with ranked as (

    select
        stated.*,
        row_number() over (
            partition by stated.symbol, stated.trade_date order by feed.priority, feed.feed
        ) as feed_rank
    from {{ ref('stg_index_close') }} as stated
    inner join {{ source('raw', 'feed') }} as feed
        on stated.feed = feed.feed

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
from ranked
where feed_rank = 1
