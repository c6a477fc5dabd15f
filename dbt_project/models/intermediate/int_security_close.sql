{{ config(materialized='incremental', incremental_strategy='rebuild_securities') }}

-- What a security's history tells of its closes; security_performance adds the rest.
with reported as (

    select * from {{ ref('int_feed_security_close') }}
    {% if is_incremental() %}
        where {{ is_rebuilt() }}
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

delivered_session as (

    select
        feed,
        market,
        trade_date
    from {{ ref('int_feed_session') }}
    where not is_quarantined

),

{% if is_incremental() %}
    latest as (

        select
            symbol,
            max(trade_date) as trade_date
        from {{ this }}
        where not ({{ is_rebuilt() }})
        group by symbol

    ),

    -- Where each security stood before the sessions being rebuilt.
    standing as (

        select closes.*
        from {{ this }} as closes
        inner join latest
            on
                closes.symbol = latest.symbol
                and closes.trade_date = latest.trade_date

    ),
{% endif %}

-- Securities of several feeds, with the reference closes that a feed's own rows give.
contested as (

    select
        reported.symbol,
        reported.market,
        reported.trade_date,
        reported.feed,
        reported.priority,
        reported.price_basis,
        reported.close,
        coalesce(
            reported.reference_close,
            case when not reported.is_reference_reported then before.close end
        ) as reference_close,
        reported.is_reference_reported,
        reported.session_before,
        reported.session_number,
        reported.is_shifted
    from reported
    left join {{ ref('int_feed_security_close') }} as before
        on
            reported.feed = before.feed
            and reported.symbol = before.symbol
            and reported.session_before = before.trade_date
            and not before.is_of_one_feed
    {% if is_incremental() %}
            and {{ is_rebuilt('before.symbol', 'before.trade_date', sessions_before=true) }}
    {% endif %}
    where not reported.is_of_one_feed

),

-- A shift is seen in the row itself, or from a price as dealt of the same session.
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
    from contested
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

    select
        marked_so_far.*,
        coalesce(
            lag(marked_so_far.feed) over (
                partition by marked_so_far.symbol order by marked_so_far.trade_date
            ),
            {{ 'standing.feed' if is_incremental() else 'null' }}
        ) as feed_before
    from marked_so_far
    {% if is_incremental() %}
        left join standing
            on marked_so_far.symbol = standing.symbol
    {% endif %}
    where
        marked_so_far.date_of_row_before is null
        or marked_so_far.date_of_row_before < marked_so_far.trade_date

),

-- Each row that counts. Where the feed before was another, its own change to this session is here.
chosen as (

    select
        best_feed.symbol,
        best_feed.market,
        best_feed.trade_date,
        best_feed.feed,
        best_feed.price_basis,
        best_feed.close,
        best_feed.reference_close,
        best_feed.is_reference_reported,
        best_feed.session_before,
        best_feed.session_number,
        best_feed.shifted_date,
        cast(contested.close as double) / contested.reference_close as growth_of_feed_before
    from best_feed
    left join contested
        on
            best_feed.symbol = contested.symbol
            and best_feed.trade_date = contested.trade_date
            and best_feed.feed_before = contested.feed
            and best_feed.feed <> contested.feed

    union all

    select
        symbol,
        market,
        trade_date,
        feed,
        price_basis,
        close,
        reference_close,
        is_reference_reported,
        session_before,
        session_number,
        case when is_shifted then trade_date end as shifted_date,
        null as growth_of_feed_before
    from reported
    where is_of_one_feed

),

session_close as (

    select
        chosen.symbol,
        chosen.trade_date,
        chosen.feed,
        chosen.price_basis,
        chosen.close,
        chosen.reference_close as own_reference_close,
        chosen.is_reference_reported,
        chosen.session_before,
        chosen.session_number,
        delivered_session.feed is not null as is_session_before_delivered,
        chosen.growth_of_feed_before,
        -- A vendor's factors belong to prices as dealt.
        case
            when chosen.price_basis = 'traded'
                then {{ log_ratio('best_factor.adjustment_factor', '1') }}
        end as log_stated_factor,
        cast(null as decimal(18, 12)) as carried_adjustment,
        cast(null as decimal(18, 12)) as carried_factor,
        cast(null as date) as carried_record_begins,
        cast(null as decimal(18, 6)) as carried_previous_close,
        chosen.shifted_date
    from chosen
    left join delivered_session
        on
            chosen.feed = delivered_session.feed
            and chosen.market = delivered_session.market
            and chosen.session_before = delivered_session.trade_date
    left join best_factor
        on
            chosen.symbol = best_factor.symbol
            and chosen.trade_date = best_factor.trade_date

    {% if is_incremental() %}
        union all

        select
            symbol,
            trade_date,
            feed,
            price_basis,
            close,
            cast(null as decimal(18, 6)) as own_reference_close,
            false as is_reference_reported,
            cast(null as date) as session_before,
            session_number,
            false as is_session_before_delivered,
            cast(null as double) as growth_of_feed_before,
            log_stated_factor,
            log_adjustment as carried_adjustment,
            log_factor as carried_factor,
            record_begins as carried_record_begins,
            previous_close as carried_previous_close,
            last_shifted_date as shifted_date
        from standing
    {% endif %}

),

-- One pass over millions of rows for all that is read of the rows before, and another for the sums.
followed as (

    select
        *,
        lag(trade_date) over by_session as previous_trade_date,
        lag(close) over by_session as last_close,
        lag(feed) over by_session as last_feed,
        lag(price_basis) over by_session as last_price_basis,
        log_stated_factor - lag(log_stated_factor) over by_session as log_stated_step,
        {{ latest_known('shifted_date', 'so_far') }} as last_shifted_date,
        {{ latest_known('shifted_date', 'before') }} as shifted_date_before
    from session_close
    window
        by_session as (partition by symbol order by trade_date),
        so_far as (
            partition by symbol order by trade_date rows between unbounded preceding and current row
        ),
        before as (
            partition by symbol order by trade_date rows between unbounded preceding and 1 preceding
        )

),

-- An adjustment by difference shifts prices and makes wrong percentages. Where a shift was seen,
-- adjusted prices are trusted again once none was seen for a month. Prices as dealt are not
-- shifted.
trusted as (

    select
        *,
        price_basis = 'traded'
        or {{ is_long_after('trade_date', 'last_shifted_date') }} as is_trusted,
        previous_trade_date is not null
        and (
            last_price_basis = 'traded'
            or {{ is_long_after('previous_trade_date', 'shifted_date_before') }}
        ) as is_last_trusted
    from followed

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
    from trusted

),

-- Where nothing in a row leads to the last close, which is of another feed and scale, that feed's
-- own change to this session does.
connected as (

    select
        *,
        case
            when
                not is_same_scale
                and is_trusted
                and is_last_trusted
                and own_reference_close is null
                and previous_trade_date = session_before
                and (
                    last_price_basis <> 'adjusted_difference'
                    or {{ is_long_after('trade_date', 'last_shifted_date') }}
                )
                then growth_of_feed_before
        end as growth
    from compared

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
                    {{ latest_known(
                        'case when is_carried then carried_record_begins '
                        'when is_trusted then run_date end',
                        'so_far'
                    ) }}
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

)

select
    symbol,
    {{ market_of_security('symbol') }} as market,
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
    record_begins
from indexed
