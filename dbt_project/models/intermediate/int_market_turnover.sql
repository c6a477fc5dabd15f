with turnover as (

    select * from {{ ref('stg_known_market_turnover') }}

),

-- A feed of indices gives the amount of the index that stands for the market, one of turnover alone
-- the exchange's own total.
feed as (

    select
        feed,
        priority,
        segments,
        case
            when {{ list_has('record_kinds', "'index_close'") }} then 'index_amount'
            else 'exchange_total'
        end as basis
    from {{ source('raw', 'feed') }}

),

of_an_index as (

    select distinct turnover.market
    from turnover
    inner join feed
        on turnover.feed = feed.feed
    where feed.basis = 'index_amount'

),

-- One series never steps from one basis to the other: each market has its own, on all its sessions.
-- The press sums the amounts of the mainland's indices; where no file has these, the exchange's own
-- total is what is known.
market as (

    select
        market.market,
        case
            when market.region = 'mainland' and of_an_index.market is not null then 'index_amount'
            else 'exchange_total'
        end as basis
    from {{ ref('market') }} as market
    left join of_an_index
        on market.market = of_an_index.market

),

-- A total needs every segment of the market.
total as (

    select
        turnover.market,
        turnover.trade_date,
        turnover.feed,
        feed.basis,
        min(feed.priority) as priority,
        min(turnover.previous_trade_date) as previous_trade_date,
        min(turnover.session_number) as session_number,
        min(turnover.currency) as currency,
        cast(sum(turnover.turnover) as decimal(18, 2)) as turnover,
        bool_or(turnover.is_half_day) as is_half_day,
        bool_or(turnover.is_covered) as is_covered
    from turnover
    inner join feed
        on
            turnover.feed = feed.feed
            and {{ list_has('feed.segments', 'turnover.segment') }}
    where turnover.turnover is not null
    group by turnover.market, turnover.trade_date, turnover.feed, feed.basis, feed.segments
    having count(*) = {{ list_length('feed.segments') }}

),

ranked as (

    select
        total.*,
        row_number() over (
            partition by total.market, total.trade_date, total.basis
            order by total.priority, total.feed
        ) as feed_rank
    from total

),

best as (

    select * from ranked
    where feed_rank = 1

)

select
    best.market,
    best.trade_date,
    best.previous_trade_date,
    best.session_number,
    best.currency,
    best.basis,
    best.turnover,
    exchange.turnover as exchange_turnover,
    best.is_half_day or coalesce(exchange.is_half_day, false) as is_half_day,
    best.is_covered,
    best.feed,
    exchange.feed as exchange_feed
from best
inner join market
    on
        best.market = market.market
        and best.basis = market.basis
left join best as exchange
    on
        best.market = exchange.market
        and best.trade_date = exchange.trade_date
        and best.currency = exchange.currency
        and exchange.basis = 'exchange_total'
