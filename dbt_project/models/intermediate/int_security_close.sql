{{ config(materialized='incremental') }}

-- What needs a security's history is worked out here, once; security_performance adds the rest.
with stated as (

    select
        closes.symbol,
        closes.market,
        closes.trade_date,
        closes.previous_trade_date as session_before,
        closes.feed,
        closes.close,
        coalesce(
            closes.stated_previous_close, closes.close - closes.stated_change
        ) as reference_close,
        feed.priority
    from {{ ref('stg_security_close') }} as closes
    inner join {{ source('raw', 'feed') }} as feed
        on closes.feed = feed.feed
    {% if is_incremental() %}
        where closes.trade_date >= {{ rebuild_from() }}
    {% endif %}

),

-- A partition a security, not a security and a session: millions of small partitions are slow.
ordered as (

    select
        *,
        lag(trade_date) over (
            partition by symbol order by trade_date, priority, feed
        ) as date_of_row_before
    from stated

),

delivered as (

    select distinct
        feed,
        market,
        trade_date
    from {{ ref('stg_security_close') }}
    {% if is_incremental() %}
        where trade_date >= (select min(stated.session_before) from stated)
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

-- The best feed's row of each session.
chosen as (

    select
        ordered.symbol,
        ordered.trade_date,
        ordered.feed,
        ordered.close,
        case when ordered.reference_close > 0 then ordered.reference_close end as reference_close,
        ordered.session_before,
        delivered.feed is not null as is_session_before_delivered,
        cast(null as decimal(18, 12)) as carried_adjustment
    from ordered
    left join delivered
        on
            ordered.feed = delivered.feed
            and ordered.market = delivered.market
            and ordered.session_before = delivered.trade_date
    where
        ordered.date_of_row_before is null
        or ordered.date_of_row_before < ordered.trade_date

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
    from chosen
    window by_session as (partition by symbol order by trade_date)

),

-- A reference previous close other than the last close is an adjustment for a dividend or split.
-- It tells nothing of sessions the feed never delivered: then the whole move counts as return. Who
-- is absent from a session that was delivered was suspended, and has stood still.
stepped as (

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
                then
                    cast(
                        round(ln(cast(last_close as double) / cast(reference_close as double)), 12)
                        as decimal(18, 12)
                    )
            else cast(0 as decimal(18, 12))
        end as log_step
    from followed

),

-- Logarithms of fixed precision add up to the same sum in any order and from any day on.
chained as (

    select
        *,
        cast(
            sum(log_step) over (
                partition by symbol order by trade_date
                rows between unbounded preceding and current row
            ) as decimal(18, 12)
        ) as log_adjustment
    from stepped

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
