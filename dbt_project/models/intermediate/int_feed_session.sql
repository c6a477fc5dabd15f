{{ config(materialized='incremental', incremental_strategy='rebuild_feed_sessions') }}

{# Prices that equal those of the session before: of one row in 3,000 this is chance. #}
{% set share_repeated = 0.3 %}
{# A close alone repeats more often, most of all in Hong Kong's cents. #}
{% set share_of_closes_repeated = 0.9 %}
{% set securities = 5 %}
{# Turnover ÷ volume lies between low and high; ÷ 100 and × 100 are far outside. #}
{% set unit_margin = 1.5 %}
{% set share_in_other_units = 0.5 %}
{# A share may have resumed without a limit; many of one file did not. #}
{% set share_beyond_limits = 0.02 %}
{% set securities_beyond_limits = 3 %}

-- Whether a file has another day's figures, or figures in another unit, shows in all of its rows
-- beside those of the same feed at the session before. It depends on files alone.
--
-- One join of all closes with those before them; what checks need of it is here too.
with reported as (

    select * from {{ ref('stg_security_close') }}
    {% if is_incremental() %}
        where {{ is_session_rebuilt('trade_date') }}
    {% endif %}

),

known_before as (

    select * from {{ ref('stg_security_close') }}
    {% if is_incremental() %}
        where trade_date >= {{ sessions_before_rebuild() }}
    {% endif %}

),

feed as (

    select * from {{ source('raw', 'feed') }}

),

market as (

    select * from {{ ref('market') }}

),

compared as (

    select
        reported.feed,
        reported.market,
        reported.trade_date,
        reported.previous_trade_date,
        reported.symbol,
        reported.file_id,
        reported.line_number,
        reported.volume,
        -- A security that did not trade, or at one price only, may well stay the same.
        before.close is not null
        and coalesce(reported.volume, 1) > 0
        and reported.high > reported.low as has_range_to_compare,
        before.close is not null
        and coalesce(reported.volume, 1) > 0
        and (reported.high is null or reported.low is null) as has_close_to_compare,
        reported.close = before.close as is_same_close,
        reported.close = before.close
        and reported.open = before.open
        and reported.high = before.high
        and reported.low = before.low as is_same_range,
        feed.price_basis = 'traded'
        and reported.volume > 0
        and reported.turnover > 0
        and reported.low is not null
        and reported.high is not null as has_units_to_compare,
        cast(reported.turnover as double) / nullif(reported.volume, 0)
        not between reported.low / {{ unit_margin }} and reported.high * {{ unit_margin }}
            as is_in_another_unit,
        feed.price_basis = 'traded'
        and reported.volume > 0
        and before.close is not null as has_move_to_compare,
        case
            when reported.volume > 0 and before.volume > 0
                then cast(reported.volume as double) / before.volume
        end as volume_growth,
        case
            when reported.turnover > 0 and before.turnover > 0
                then cast(reported.turnover as double) / cast(before.turnover as double)
        end as turnover_growth
    from reported
    inner join feed
        on reported.feed = feed.feed
    left join known_before as before
        on
            reported.feed = before.feed
            and reported.symbol = before.symbol
            and reported.previous_trade_date = before.trade_date

),

counted as (

    select
        feed,
        market,
        trade_date,
        min(previous_trade_date) as previous_trade_date,
        min(file_id) as file_id,
        min(line_number) as line_number,
        count(*) as securities,
        coalesce(max(volume) > 0, false) as has_volumes,
        count(case when has_range_to_compare then 1 end) as ranges,
        count(case when has_range_to_compare and is_same_range then 1 end) as same_ranges,
        count(case when has_close_to_compare then 1 end) as closes,
        count(case when has_close_to_compare and is_same_close then 1 end) as same_closes,
        count(case when has_units_to_compare then 1 end) as units,
        count(case when has_units_to_compare and is_in_another_unit then 1 end) as other_units,
        min(case when has_units_to_compare and is_in_another_unit then symbol end)
            as symbol_in_another_unit,
        count(case when has_move_to_compare then 1 end) as moves,
        count(volume_growth) as volumes,
        {{ median('volume_growth') }} as volume_growth,
        count(turnover_growth) as turnovers,
        {{ median('turnover_growth') }} as turnover_growth
    from compared
    group by feed, market, trade_date

),

moved as (

    select
        reported.feed,
        reported.market,
        reported.trade_date,
        reported.session_number,
        reported.symbol,
        greatest(reported.close, reported.high) as highest,
        least(reported.close, reported.low) as lowest,
        coalesce(
            reported.stated_previous_close, reported.close - reported.stated_change, before.close
        ) as reference_close
    from reported
    inner join feed
        on reported.feed = feed.feed
    inner join known_before as before
        on
            reported.feed = before.feed
            and reported.symbol = before.symbol
            and reported.previous_trade_date = before.trade_date
    where
        feed.price_basis = 'traded'
        and reported.volume > 0

),

-- The narrowest limit that shares without special treatment have is ten percent.
moved_far as (

    select * from moved
    where
        highest > 1.09 * reference_close
        or lowest < 0.91 * reference_close

),

limited as (

    select
        moved_far.*,
        {{ price_limit(
            'market.region',
            board_of_security('moved_far.symbol'),
            "''",
            'false',
            'moved_far.trade_date'
        ) }} as price_limit
    from moved_far
    inner join market
        on moved_far.market = market.market

),

-- The first sessions of a share have no limit.
beyond_limit as (

    select
        limited.feed,
        limited.market,
        limited.trade_date,
        count(distinct limited.symbol) as moves,
        min(limited.symbol) as symbol
    from limited
    inner join known_before
        on
            limited.feed = known_before.feed
            and limited.symbol = known_before.symbol
            and limited.session_number = known_before.session_number + 5
    where
        {{ is_beyond_limit(
            'limited.highest', 'limited.lowest', 'limited.reference_close', 'limited.price_limit'
        ) }}
    group by limited.feed, limited.market, limited.trade_date

),

counted_with_moves as (

    select
        counted.*,
        coalesce(beyond_limit.moves, 0) as moves_beyond_limit,
        beyond_limit.symbol as symbol_beyond_limit
    from counted
    left join beyond_limit
        on
            counted.feed = beyond_limit.feed
            and counted.market = beyond_limit.market
            and counted.trade_date = beyond_limit.trade_date

),

judged as (

    select
        *,
        case
            when ranges >= {{ securities }} and same_ranges >= {{ share_repeated }} * ranges
                then
                    same_ranges || ' of ' || ranges || ' securities have the prices of '
                    || previous_trade_date
            when
                closes >= {{ securities }}
                and same_closes >= {{ share_of_closes_repeated }} * closes
                then
                    same_closes || ' of ' || closes || ' securities have the closes of '
                    || previous_trade_date
            when other_units > {{ share_in_other_units }} * units
                then
                    other_units || ' of ' || units
                    || ' rows have turnover ÷ volume outside low and high, e.g. '
                    || symbol_in_another_unit
            when
                moves_beyond_limit >= {{ securities_beyond_limits }}
                and moves_beyond_limit > {{ share_beyond_limits }} * moves
                then
                    moves_beyond_limit || ' of ' || moves
                    || ' shares moved beyond their limits, e.g. ' || symbol_beyond_limit
        end as reason
    from counted_with_moves

)

select
    feed,
    market,
    trade_date,
    securities,
    has_volumes,
    file_id,
    line_number,
    volumes,
    volume_growth,
    turnovers,
    turnover_growth,
    reason is not null as is_quarantined,
    reason
from judged
