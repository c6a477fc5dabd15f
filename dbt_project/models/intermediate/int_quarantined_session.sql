{{ config(materialized='incremental') }}

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
with reported as (

    select * from {{ ref('stg_security_close') }}
    {% if is_incremental() %}
        where trade_date >= {{ rebuild_from() }}
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
        reported.session_number,
        reported.symbol,
        reported.file_id,
        reported.line_number,
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
        greatest(reported.close, reported.high) as highest,
        least(reported.close, reported.low) as lowest,
        coalesce(
            reported.stated_previous_close, reported.close - reported.stated_change, before.close
        ) as reference_close,
        {{ price_limit(
            'market.region',
            board_of_security('reported.symbol'),
            "''",
            'false',
            'reported.trade_date'
        ) }} as widest_limit
    from reported
    inner join feed
        on reported.feed = feed.feed
    inner join market
        on reported.market = market.market
    left join known_before as before
        on
            reported.feed = before.feed
            and reported.symbol = before.symbol
            and reported.previous_trade_date = before.trade_date

),

moved as (

    select
        *,
        has_move_to_compare
        and (
            highest > round(reference_close * (1 + widest_limit), 2) + 0.0101
            or lowest < round(reference_close * (1 - widest_limit), 2) - 0.0101
        ) as is_beyond_limit
    from compared

),

-- The first sessions of a share have no limit.
beyond_limit as (

    select distinct
        moved.feed,
        moved.trade_date,
        moved.symbol
    from moved
    inner join known_before
        on
            moved.feed = known_before.feed
            and moved.symbol = known_before.symbol
            and moved.session_number = known_before.session_number + 5
    where moved.is_beyond_limit

),

counted as (

    select
        moved.feed,
        moved.market,
        moved.trade_date,
        min(moved.previous_trade_date) as previous_trade_date,
        min(moved.file_id) as file_id,
        min(moved.line_number) as line_number,
        count(*) as securities,
        count(case when moved.has_range_to_compare then 1 end) as ranges,
        count(case when moved.has_range_to_compare and moved.is_same_range then 1 end)
            as same_ranges,
        count(case when moved.has_close_to_compare then 1 end) as closes,
        count(case when moved.has_close_to_compare and moved.is_same_close then 1 end)
            as same_closes,
        count(case when moved.has_units_to_compare then 1 end) as units,
        count(case when moved.has_units_to_compare and moved.is_in_another_unit then 1 end)
            as other_units,
        count(case when moved.has_move_to_compare then 1 end) as moves,
        count(beyond_limit.symbol) as moves_beyond_limit,
        min(beyond_limit.symbol) as symbol_beyond_limit,
        min(
            case when moved.has_units_to_compare and moved.is_in_another_unit then moved.symbol end
        ) as symbol_in_another_unit
    from moved
    left join beyond_limit
        on
            moved.feed = beyond_limit.feed
            and moved.trade_date = beyond_limit.trade_date
            and moved.symbol = beyond_limit.symbol
    group by moved.feed, moved.market, moved.trade_date

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
    from counted

)

select
    feed,
    market,
    trade_date,
    securities,
    reason,
    file_id,
    line_number
from judged
where reason is not null
