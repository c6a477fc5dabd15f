with covered_session as (

    select * from {{ ref('stg_session') }}

),

feed as (

    select * from {{ source('raw', 'feed') }}
    where
        due_by is not null
        and is_monthly is distinct from true

),

-- Closes of securities, millions, are counted already.
counted as (

    select
        feed_session.feed,
        feed_session.market,
        feed_session.trade_date,
        feed_session.securities as symbols
    from {{ ref('int_feed_session') }} as feed_session
    inner join feed
        on feed_session.feed = feed.feed
    where not feed_session.is_quarantined

    union all

    select
        due_record.feed,
        due_record.market,
        due_record.trade_date,
        count(*) as symbols
    from {{ ref('int_due_record') }} as due_record
    inner join feed
        on due_record.feed = feed.feed
    where due_record.record_kind <> 'security_close'
    group by due_record.feed, due_record.market, due_record.trade_date

),

delivered as (

    select
        counted.feed,
        counted.market,
        counted.trade_date,
        min(covered_session.session_number) as session_number,
        sum(counted.symbols) as symbols
    from counted
    inner join covered_session
        on
            counted.market = covered_session.market
            and counted.trade_date = covered_session.trade_date
    group by counted.feed, counted.market, counted.trade_date

),

first_delivery as (

    select
        feed,
        market,
        min(trade_date) as trade_date
    from delivered
    group by feed, market

),

followed as (

    select
        first_delivery.feed,
        covered_session.market,
        covered_session.trade_date,
        covered_session.session_number,
        coalesce(delivered.symbols, 0) as received_symbols,
        max(delivered.session_number) over (
            partition by first_delivery.feed, covered_session.market
            order by covered_session.session_number
            rows between unbounded preceding and 1 preceding
        ) as last_delivery
    from covered_session
    inner join first_delivery
        on
            covered_session.market = first_delivery.market
            and covered_session.trade_date >= first_delivery.trade_date
    left join delivered
        on
            first_delivery.feed = delivered.feed
            and covered_session.market = delivered.market
            and covered_session.trade_date = delivered.trade_date

)

-- One bad day must not lower what is expected of the next, and a delisted symbol must soon be
-- forgotten: hence the last delivery and the five sessions before.
select
    feed,
    market,
    trade_date,
    session_number,
    received_symbols,
    last_delivery,
    least(last_delivery, session_number - 5) as due_since
from followed
-- A feed that delivered nothing for twenty sessions has ended, until it delivers again.
where
    last_delivery is null
    or session_number - last_delivery <= 20
