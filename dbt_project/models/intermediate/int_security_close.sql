{{ config(materialized='incremental') }}

-- Whatever needs a security's history is computed here, once; security_performance adds the rest.
with rebuilt as (

    select * from {{ ref('int_feed_security_close') }}
    {% if is_incremental() %}
        where trade_date >= {{ rebuild_from() }}
    {% endif %}

),

factor as (

    select
        symbol,
        trade_date,
        feed,
        adjustment_factor
    from {{ ref('stg_security_adjustment') }}
    {% if is_incremental() %}
        where trade_date >= {{ rebuild_from() }}
    {% endif %}

),

best_factor as (

    {{ from_best_feed('factor', ['symbol', 'trade_date']) | indent(4) }}

),

-- One partition per security, not per security and session: millions of small ones are slow. A
-- shift is seen in the row itself, or from a price as dealt of the same session.
ordered as (

    select
        *,
        lag(trade_date) over by_priority as date_of_row_before,
        is_shifted
        or coalesce(
            price_basis = 'adjusted_difference'
            and lag(price_basis) over by_priority = 'traded'
            and lag(trade_date) over by_priority = trade_date
            and lag(close) over by_priority <> close,
            false
        ) as is_seen_shifted
    from rebuilt
    window by_priority as (partition by symbol order by trade_date, priority, feed)

),

-- What a feed that does not count shows of its prices is known when it does count.
marked_so_far as (

    select
        *,
        max(case when is_seen_shifted then trade_date end) over (
            partition by symbol order by trade_date
        ) as shifted_date
    from ordered

),

best_feed as (

    select * from marked_so_far
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
        best_feed.price_basis,
        best_feed.close,
        best_feed.reference_close as own_reference_close,
        best_feed.is_reference_reported,
        best_feed.session_before,
        best_feed.session_number,
        delivered_session.feed is not null as is_session_before_delivered,
        -- A vendor's factors belong to prices as dealt.
        case
            when best_feed.price_basis = 'traded'
                then {{ log_ratio('best_factor.adjustment_factor', '1') }}
        end as log_stated_factor,
        cast(null as decimal(18, 12)) as carried_adjustment,
        cast(null as decimal(18, 12)) as carried_factor,
        cast(null as date) as carried_record_begins,
        cast(null as decimal(18, 6)) as carried_previous_close,
        best_feed.shifted_date
    from best_feed
    left join delivered_session
        on
            best_feed.feed = delivered_session.feed
            and best_feed.market = delivered_session.market
            and best_feed.session_before = delivered_session.trade_date
    left join best_factor
        on
            best_feed.symbol = best_factor.symbol
            and best_feed.trade_date = best_factor.trade_date

    {% if is_incremental() %}
        -- Where each security stood before the sessions being rebuilt.
        union all

        select
            standing.symbol,
            standing.trade_date,
            standing.feed,
            standing.price_basis,
            standing.close,
            cast(null as decimal(18, 6)) as own_reference_close,
            false as is_reference_reported,
            cast(null as date) as session_before,
            standing.session_number,
            false as is_session_before_delivered,
            standing.log_stated_factor,
            standing.log_adjustment as carried_adjustment,
            standing.log_factor as carried_factor,
            standing.record_begins as carried_record_begins,
            standing.previous_close as carried_previous_close,
            standing.last_shifted_date as shifted_date
        from {{ this }} as standing
        inner join latest
            on
                standing.symbol = latest.symbol
                and standing.trade_date = latest.trade_date
    {% endif %}

),

-- An adjustment by difference shifts prices and makes wrong percentages. Where a shift was seen,
-- adjusted prices are trusted again once none was seen for a month. Prices as dealt are not
-- shifted.
marked as (

    select
        *,
        max(shifted_date) over (
            partition by symbol order by trade_date
            rows between unbounded preceding and current row
        ) as last_shifted_date
    from session_close

),

trusted as (

    select
        *,
        price_basis = 'traded'
        or coalesce(
            trade_date > cast({{ dbt.dateadd('day', 30, 'last_shifted_date') }} as date), true
        ) as is_trusted
    from marked

),

followed as (

    select
        *,
        lag(trade_date) over by_session as previous_trade_date,
        lag(close) over by_session as last_close,
        lag(feed) over by_session as last_feed,
        lag(price_basis) over by_session as last_price_basis,
        log_stated_factor - lag(log_stated_factor) over by_session as log_stated_step,
        coalesce(lag(is_trusted) over by_session, false) as is_last_trusted
    from trusted
    window by_session as (partition by symbol order by trade_date)

),

-- Two closes can be compared where both are of one feed or as dealt, or where the later one comes
-- with its own reference for the session of the earlier one.
compared as (

    select
        *,
        coalesce(
            feed = last_feed or (price_basis = 'traded' and last_price_basis = 'traded'), false
        ) as is_same_scale,
        coalesce(previous_trade_date = session_before, false)
        or is_session_before_delivered as is_next_session
    from followed

),

-- Where nothing in a row leads to the last close, which is of another feed and scale, that feed's
-- own change to this session does.
bridge as (

    select
        compared.symbol,
        compared.trade_date,
        cast(rebuilt.close as double) / rebuilt.reference_close as growth
    from compared
    inner join rebuilt
        on
            compared.symbol = rebuilt.symbol
            and compared.trade_date = rebuilt.trade_date
            and compared.last_feed = rebuilt.feed
    where
        not compared.is_same_scale
        and compared.is_trusted
        and compared.is_last_trusted
        and compared.own_reference_close is null
        and compared.previous_trade_date = compared.session_before
        and (
            rebuilt.price_basis <> 'adjusted_difference'
            or compared.last_shifted_date is null
            or compared.trade_date
            > cast({{ dbt.dateadd('day', 30, 'compared.last_shifted_date') }} as date)
        )

),

connected as (

    select
        compared.*,
        bridge.growth
    from compared
    left join bridge
        on
            compared.symbol = bridge.symbol
            and compared.trade_date = bridge.trade_date

),

-- Where the feed reports no reference, a vendor's factors say what the last close amounts to.
referenced as (

    select
        *,
        case
            when
                not is_reference_reported
                and is_same_scale
                and is_next_session
                and log_stated_step <> 0
                then
                    {{ to_tick(
                        'cast(last_close as double) * exp(-cast(log_stated_step as double))',
                        'symbol'
                    ) }}
            else own_reference_close
        end as reference_close
    from connected

),

-- A reference previous close other than the last close is an adjustment for a dividend or split.
-- It says nothing about sessions the feed never delivered: then a vendor's factors do, and without
-- them the whole move counts as return. A security absent from a session that was delivered was
-- suspended; its price has not moved.
adjusted as (

    select
        symbol,
        trade_date,
        session_number,
        feed,
        price_basis,
        close,
        last_shifted_date,
        is_trusted,
        previous_trade_date,
        last_close,
        carried_record_begins,
        carried_adjustment is not null as is_carried,
        carried_factor,
        log_stated_factor,
        log_stated_step,
        growth is not null as is_bridged,
        previous_trade_date is null
        and reference_close is not null
        and is_session_before_delivered as is_listing,
        case
            when carried_adjustment is not null then carried_previous_close
            when not is_trusted then null
            when
                price_basis = 'adjusted_difference'
                and not is_last_trusted
                and previous_trade_date is not null
                then null
            when reference_close is not null then reference_close
            when is_same_scale and is_next_session then last_close
        end as previous_close,
        case
            when
                not is_last_trusted
                or not (
                    is_same_scale
                    or growth is not null
                    or (reference_close is not null and is_next_session)
                )
                then trade_date
        end as run_date,
        case
            when carried_adjustment is not null then carried_adjustment
            when growth is not null then {{ log_ratio('last_close * growth', 'close') }}
            when
                is_trusted
                and is_last_trusted
                and is_next_session
                and last_close <> reference_close
                then {{ log_ratio('last_close', 'reference_close') }}
            when not is_next_session and log_stated_step is not null then log_stated_step
            else cast(0 as decimal(18, 12))
        end as log_step
    from referenced

),

chained as (

    select
        *,
        lag(previous_close) over (partition by symbol order by trade_date) as last_previous_close,
        cast(sum(log_step) over so_far as decimal(18, 12)) as log_adjustment,
        cast(
            sum(coalesce(
                carried_factor,
                log_stated_step,
                case when previous_trade_date is null then log_stated_factor end,
                log_step
            )) over so_far as decimal(18, 12)
        ) as log_factor,
        case
            when is_trusted
                then
                    max(case
                        when is_carried then carried_record_begins when is_trusted then run_date
                    end) over so_far
        end as record_begins
    from adjusted
    window so_far as (
        partition by symbol order by trade_date rows between unbounded preceding and current row
    )

),

indexed as (

    select
        symbol,
        trade_date,
        session_number,
        feed,
        price_basis,
        close,
        previous_trade_date,
        cast(previous_close as decimal(18, 6)) as previous_close,
        is_listing,
        {{ takes_back('close', 'previous_close', 'last_close', 'last_previous_close') }}
            as is_reversal,
        log_adjustment,
        log_stated_factor,
        log_factor,
        case
            when
                is_trusted
                and (
                    previous_close is not null
                    or log_stated_step is not null
                    or is_bridged
                    or trade_date = record_begins
                )
                then cast(round(exp(cast(log_factor as double)), 9) as decimal(18, 9))
        end as adjustment_factor,
        last_shifted_date,
        record_begins,
        case
            when is_trusted
                then
                    cast(
                        round(cast(close as double) * exp(cast(log_adjustment as double)), 6)
                        as decimal(18, 6)
                    )
        end as return_index
    from chained
    where not is_carried

),

extreme as (

    {{ closing_extreme_since(
        'indexed',
        'return_index',
        carried=[
            'session_number',
            'feed',
            'price_basis',
            'close',
            'previous_trade_date',
            'previous_close',
            'is_listing',
            'is_reversal',
            'log_adjustment',
            'log_stated_factor',
            'log_factor',
            'adjustment_factor',
            'last_shifted_date',
            'record_begins',
            'return_index',
        ]
    ) | indent(4) }}

)

-- The latest session at or above is in the record, or none of the record is.
select
    symbol,
    trade_date,
    session_number,
    feed,
    price_basis,
    close,
    previous_trade_date,
    previous_close,
    is_listing,
    is_reversal,
    log_adjustment,
    log_stated_factor,
    log_factor,
    adjustment_factor,
    last_shifted_date,
    return_index,
    record_begins,
    case when closing_high_since >= record_begins then closing_high_since end as closing_high_since,
    case when closing_low_since >= record_begins then closing_low_since end as closing_low_since
from extreme
