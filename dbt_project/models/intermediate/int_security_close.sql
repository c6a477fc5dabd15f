{{ config(materialized='incremental') }}

-- Whatever needs a security's history is computed here, once; security_performance adds the rest.
with rebuilt as (

    select * from {{ ref('int_feed_security_close') }}
    {% if is_incremental() %}
        where trade_date >= {{ rebuild_from() }}
    {% endif %}

),

-- One partition per security, not per security and session: millions of small ones are slow.
ordered as (

    select
        *,
        lag(trade_date) over (
            partition by symbol order by trade_date, priority, feed
        ) as date_of_row_before
    from rebuilt

),

best_feed as (

    select * from ordered
    where
        date_of_row_before is null
        or date_of_row_before < trade_date

),

delivered_session as (

    select distinct
        feed,
        market,
        trade_date
    from {{ ref('int_feed_security_close') }}
    {% if is_incremental() %}
        where trade_date >= (select min(rebuilt.session_before) from rebuilt)
    {% endif %}

),

{% if is_incremental() %}
    latest as (

        select
            symbol,
            max(trade_date) as trade_date
        from {{ this }}
        where trade_date < {{ rebuild_from() }}
        group by symbol

    ),
{% endif %}

session_close as (

    select
        best_feed.symbol,
        best_feed.trade_date,
        best_feed.feed,
        best_feed.close,
        best_feed.reference_close,
        best_feed.session_before,
        delivered_session.feed is not null as is_session_before_delivered,
        cast(null as decimal(18, 12)) as carried_adjustment
    from best_feed
    left join delivered_session
        on
            best_feed.feed = delivered_session.feed
            and best_feed.market = delivered_session.market
            and best_feed.session_before = delivered_session.trade_date

    {% if is_incremental() %}
        -- Where each security stood before the sessions being rebuilt.
        union all

        select
            standing.symbol,
            standing.trade_date,
            standing.feed,
            standing.close,
            cast(null as decimal(18, 6)) as reference_close,
            cast(null as date) as session_before,
            false as is_session_before_delivered,
            standing.log_adjustment as carried_adjustment
        from {{ this }} as standing
        inner join latest
            on
                standing.symbol = latest.symbol
                and standing.trade_date = latest.trade_date
    {% endif %}

),

followed as (

    select
        *,
        lag(trade_date) over by_session as previous_trade_date,
        lag(close) over by_session as last_close
    from session_close
    window by_session as (partition by symbol order by trade_date)

),

-- A reference previous close other than the last close is an adjustment for a dividend or split.
-- It says nothing about sessions the feed never delivered: then the whole move counts as return. A
-- security absent from a session that was delivered was suspended; its price has not moved.
adjusted as (

    select
        symbol,
        trade_date,
        feed,
        close,
        previous_trade_date,
        coalesce(reference_close, last_close) as previous_close,
        carried_adjustment is not null as is_carried,
        case
            when carried_adjustment is not null then carried_adjustment
            when
                last_close <> reference_close
                and (previous_trade_date = session_before or is_session_before_delivered)
                then {{ log_ratio('last_close', 'reference_close') }}
            else cast(0 as decimal(18, 12))
        end as log_step
    from followed

),

chained as (

    select
        *,
        cast(
            sum(log_step) over (
                partition by symbol order by trade_date
                rows between unbounded preceding and current row
            ) as decimal(18, 12)
        ) as log_adjustment
    from adjusted

),

indexed as (

    select
        symbol,
        trade_date,
        feed,
        close,
        previous_trade_date,
        cast(previous_close as decimal(18, 6)) as previous_close,
        log_adjustment,
        cast(
            round(cast(close as double) * exp(cast(log_adjustment as double)), 6)
            as decimal(18, 6)
        ) as return_index
    from chained
    where not is_carried

),

extreme as (

    {{ closing_extreme_since(
        'indexed',
        'return_index',
        carried=[
            'feed', 'close', 'previous_trade_date', 'previous_close', 'log_adjustment', 'return_index'
        ]
    ) | indent(4) }}

)

select
    symbol,
    trade_date,
    feed,
    close,
    previous_trade_date,
    previous_close,
    log_adjustment,
    return_index,
    closing_high_since,
    closing_low_since
from extreme
