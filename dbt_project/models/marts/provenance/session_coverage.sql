-- A symbol is due where the feed gave it at its last delivery or at one of the five sessions
-- before: one bad day does not lower what is expected of the next, a delisted symbol is soon
-- forgotten.
with delivered as (

    select
        due.feed,
        due.market,
        due.trade_date,
        min(session.session_number) as session_number,
        count(*) as symbols
    from {{ ref('int_due_record') }} as due
    inner join {{ ref('stg_session') }} as session
        on
            due.market = session.market
            and due.trade_date = session.trade_date
    group by due.feed, due.market, due.trade_date

),

first_delivery as (

    select
        feed,
        market,
        min(trade_date) as trade_date
    from delivered
    group by feed, market

),

due_session as (

    select
        session.trade_date,
        session.session_number,
        session.market,
        first_delivery.feed,
        coalesce(delivered.symbols, 0) as received_symbols,
        max(delivered.session_number) over earlier as last_delivery
    from {{ ref('stg_session') }} as session
    inner join first_delivery
        on
            session.market = first_delivery.market
            and session.trade_date >= first_delivery.trade_date
    left join delivered
        on
            first_delivery.feed = delivered.feed
            and session.market = delivered.market
            and session.trade_date = delivered.trade_date
    window
        earlier as (
            partition by first_delivery.feed, session.market
            order by session.session_number
            rows between unbounded preceding and 1 preceding
        )

),

expecting as (

    select
        trade_date,
        session_number,
        market,
        feed,
        received_symbols,
        last_delivery,
        least(last_delivery, session_number - 5) as due_since
    from due_session
    {% if is_incremental() %}
        where trade_date >= {{ rebuild_from() }}
    {% endif %}

),

{% if is_incremental() %}
    -- Nobody is due any more who was given last before this.
    still_due as (

        select
            feed,
            market,
            min(coalesce(due_since, session_number)) as since
        from expecting
        group by feed, market

    ),
{% endif %}

given as (

    select
        due.feed,
        due.market,
        due.symbol,
        session.session_number,
        lag(session.session_number) over by_session as given_before,
        lead(session.session_number) over by_session as given_next
    from {{ ref('int_due_record') }} as due
    inner join {{ ref('stg_session') }} as session
        on
            due.market = session.market
            and due.trade_date = session.trade_date
    {% if is_incremental() %}
        inner join still_due
            on
                due.feed = still_due.feed
                and due.market = still_due.market
                and session.session_number >= still_due.since
    {% endif %}
    window
        by_session as (
            partition by due.feed, due.market, due.symbol order by session.session_number
        )

),

missing as (

    select
        expecting.feed,
        expecting.market,
        expecting.session_number,
        count(*) as symbols,
        min(given.symbol) as first_symbol
    from expecting
    inner join given
        on
            expecting.feed = given.feed
            and expecting.market = given.market
            and expecting.session_number > given.session_number
            and expecting.due_since <= given.session_number
    where
        -- Most are given at the next session: they are missing nowhere.
        given.given_next is distinct from given.session_number + 1
        and coalesce(given.given_next > expecting.session_number, true)
    group by expecting.feed, expecting.market, expecting.session_number

),

arrived as (

    select
        expecting.feed,
        expecting.market,
        expecting.session_number,
        count(*) as symbols
    from expecting
    inner join given
        on
            expecting.feed = given.feed
            and expecting.market = given.market
            and expecting.session_number = given.session_number
    where given.given_before >= expecting.due_since
    group by expecting.feed, expecting.market, expecting.session_number

)

select
    expecting.trade_date,
    expecting.market,
    expecting.feed,
    cast(
        coalesce(arrived.symbols, 0) + coalesce(missing.symbols, 0) as integer
    ) as expected_symbols,
    cast(expecting.received_symbols as integer) as received_symbols,
    cast(coalesce(missing.symbols, 0) as integer) as missing_symbols,
    missing.first_symbol as first_missing_symbol,
    case
        when expecting.received_symbols = 0 then 'missing'
        when missing.symbols > 0 then 'partial'
        else 'complete'
    end as status
from expecting
left join missing
    on
        expecting.feed = missing.feed
        and expecting.market = missing.market
        and expecting.session_number = missing.session_number
left join arrived
    on
        expecting.feed = arrived.feed
        and expecting.market = arrived.market
        and expecting.session_number = arrived.session_number
