with covered_session as (

    select * from {{ ref('stg_session') }}

),

due_record as (

    select * from {{ ref('int_due_record') }}
    -- A feed that delivered nothing for twenty sessions is due no more.
    {% if is_incremental() %}
        where trade_date >= {{ sessions_before_rebuild() }}
    {% endif %}

),

due_month as (

    select * from {{ ref('int_due_month') }}
    {% if is_incremental() %}
        where trade_date >= {{ rebuild_from() }}
    {% endif %}

),

quarantined as (

    select * from {{ ref('int_feed_session') }}
    where is_quarantined

),

due_session as (

    select * from {{ ref('int_due_session') }}
    {% if is_incremental() %}
        where trade_date >= {{ rebuild_from() }}
    {% endif %}

),

delivered_symbol as (

    select
        due_record.feed,
        due_record.market,
        due_record.symbol,
        due_record.is_security,
        covered_session.session_number,
        lag(covered_session.session_number) over by_session as delivered_before,
        lead(covered_session.session_number) over by_session as delivered_next
    from due_record
    inner join covered_session
        on
            due_record.market = covered_session.market
            and due_record.trade_date = covered_session.trade_date
    window
        by_session as (
            partition by due_record.feed, due_record.market, due_record.symbol
            order by covered_session.session_number
        )

),

missing as (

    select
        due_session.feed,
        due_session.market,
        due_session.session_number,
        count(*) as symbols,
        count(case when not delivered_symbol.is_security then 1 end) as others,
        min(delivered_symbol.symbol) as first_symbol
    from due_session
    inner join delivered_symbol
        on
            due_session.feed = delivered_symbol.feed
            and due_session.market = delivered_symbol.market
            and due_session.session_number > delivered_symbol.session_number
            and due_session.due_since <= delivered_symbol.session_number
    where
        -- Most are delivered at the next session: they are missing nowhere.
        delivered_symbol.delivered_next is distinct from delivered_symbol.session_number + 1
        and coalesce(delivered_symbol.delivered_next > due_session.session_number, true)
    group by due_session.feed, due_session.market, due_session.session_number

),

received as (

    select
        due_session.feed,
        due_session.market,
        due_session.session_number,
        count(*) as symbols
    from due_session
    inner join delivered_symbol
        on
            due_session.feed = delivered_symbol.feed
            and due_session.market = delivered_symbol.market
            and due_session.session_number = delivered_symbol.session_number
    where delivered_symbol.delivered_before >= due_session.due_since
    group by due_session.feed, due_session.market, due_session.session_number

)

select
    due_session.trade_date,
    due_session.market,
    due_session.feed,
    cast(
        coalesce(received.symbols, 0) + coalesce(missing.symbols, 0) as integer
    ) as expected_symbols,
    cast(due_session.received_symbols as integer) as received_symbols,
    cast(coalesce(missing.symbols, 0) as integer) as missing_symbols,
    missing.first_symbol as first_missing_symbol,
    case
        when quarantined.feed is not null then 'quarantined'
        when due_session.received_symbols = 0 then 'missing'
        when missing.symbols > 0 then 'partial'
        else 'complete'
    end as status,
    -- Some securities are suspended every day. An index or a market never is.
    due_session.received_symbols = 0
    or coalesce(missing.others, 0) > 0
    or coalesce(missing.symbols, 0) > coalesce(received.symbols, 0) as is_late
from due_session
left join missing
    on
        due_session.feed = missing.feed
        and due_session.market = missing.market
        and due_session.session_number = missing.session_number
left join received
    on
        due_session.feed = received.feed
        and due_session.market = received.market
        and due_session.session_number = received.session_number
left join quarantined
    on
        due_session.feed = quarantined.feed
        and due_session.market = quarantined.market
        and due_session.trade_date = quarantined.trade_date

union all

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
    end as status,
    missing_symbols > 0 as is_late
from due_month
