with turnover as (

    select * from {{ ref('stg_market_turnover') }}

),

feed as (

    select * from {{ source('raw', 'feed') }}

),

-- A total needs every segment of the market: it is the best of the feeds that report them all.
totals as (

    select
        turnover.market,
        turnover.trade_date,
        turnover.feed,
        min(feed.priority) as priority,
        min(turnover.previous_trade_date) as previous_trade_date,
        min(turnover.session_number) as session_number,
        min(turnover.currency) as currency,
        cast(sum(turnover.turnover) as decimal(18, 2)) as turnover,
        bool_or(turnover.is_half_day) as is_half_day
    from turnover
    inner join feed
        on
            turnover.feed = feed.feed
            and {{ list_has('feed.segments', 'turnover.segment') }}
    where turnover.turnover is not null
    group by turnover.market, turnover.trade_date, turnover.feed, feed.segments
    having count(*) = {{ list_length('feed.segments') }}

),

ranked as (

    select
        totals.*,
        row_number() over (
            partition by totals.market, totals.trade_date order by totals.priority, totals.feed
        ) as feed_rank
    from totals

)

select
    market,
    trade_date,
    previous_trade_date,
    session_number,
    currency,
    turnover,
    is_half_day,
    feed
from ranked
where feed_rank = 1
