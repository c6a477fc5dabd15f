-- A market and a session, from the best feed that states every segment its total needs.
with totals as (

    select
        stated.market,
        stated.trade_date,
        stated.feed,
        min(feed.priority) as priority,
        min(stated.previous_trade_date) as previous_trade_date,
        min(stated.session_number) as session_number,
        min(stated.currency) as currency,
        cast(sum(stated.turnover) as decimal(18, 2)) as turnover,
        bool_or(stated.is_half_day) as is_half_day
    from {{ ref('stg_market_turnover') }} as stated
    inner join {{ source('raw', 'feed') }} as feed
        on
            stated.feed = feed.feed
            and {{ list_has('feed.segments', 'stated.segment') }}
    where stated.turnover is not null
    group by stated.market, stated.trade_date, stated.feed, feed.segments
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
