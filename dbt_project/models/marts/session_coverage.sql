-- What a feed is due is what it gave at its last session with data: nothing is known of it before.
with delivered as (

    select
        feed,
        market,
        trade_date,
        count(*) as symbols
    from {{ ref('int_due_record') }}
    group by feed, market, trade_date

),

first_delivery as (

    select
        feed,
        market,
        min(trade_date) as trade_date
    from delivered
    group by feed, market

),

expected as (

    select
        session.trade_date,
        session.market,
        first_delivery.feed,
        coalesce(delivered.symbols, 0) as received_symbols,
        max(delivered.trade_date) over (
            partition by first_delivery.feed, session.market
            order by session.trade_date
            rows between unbounded preceding and 1 preceding
        ) as last_delivery
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

),

compared as (

    select
        expected.trade_date,
        expected.market,
        expected.feed,
        expected.received_symbols,
        count(before.symbol) as expected_symbols,
        count(case when now.symbol is null then before.symbol end) as missing_symbols,
        min(case when now.symbol is null then before.symbol end) as first_missing_symbol
    from expected
    left join {{ ref('int_due_record') }} as before
        on
            expected.feed = before.feed
            and expected.market = before.market
            and expected.last_delivery = before.trade_date
    left join {{ ref('int_due_record') }} as now
        on
            before.feed = now.feed
            and before.symbol = now.symbol
            and expected.trade_date = now.trade_date
    {% if is_incremental() %}
        where expected.trade_date >= {{ rebuild_from() }}
    {% endif %}
    group by expected.trade_date, expected.market, expected.feed, expected.received_symbols

)

select
    trade_date,
    market,
    feed,
    cast(expected_symbols as integer) as expected_symbols,
    cast(received_symbols as integer) as received_symbols,
    cast(missing_symbols as integer) as missing_symbols,
    first_missing_symbol,
    case
        when received_symbols = 0 then 'missing'
        when missing_symbols > 0 then 'partial'
        else 'complete'
    end as status
from compared
