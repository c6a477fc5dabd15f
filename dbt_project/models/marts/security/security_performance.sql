{{ config(incremental_strategy='rebuild_securities') }}

with closes as (

    select * from {{ ref('int_security_return') }}
    {% if is_incremental() %}
        where {{ is_rebuilt() }}
    {% endif %}

),

security_close as (

    select * from {{ ref('int_counted_security_close') }}
    {% if is_incremental() %}
        where {{ is_rebuilt() }}
    {% endif %}

),

market as (

    select * from {{ ref('market') }}

),

reference as (

    select * from {{ ref('int_security_reference') }}

),

membership as (

    select * from {{ ref('int_security_sector') }}

),

listing as (

    select * from {{ ref('int_security_listing') }}

),

name_of_day as (

    select * from {{ ref('int_security_name') }}

),

float_cap as (

    select * from {{ ref('int_security_float_cap') }}
    {% if is_incremental() %}
        where {{ is_rebuilt() }}
    {% endif %}

),

extreme as (

    {{ closing_extreme_since(
        ref('int_security_close'), 'return_index', of_securities=true
    ) | indent(4) }}

),

delivery as (

    select * from {{ ref('int_feed_session') }}

),

described as (

    select
        closes.trade_date,
        closes.symbol,
        coalesce(reported.name, name_of_day.name, reference.name) as name,
        coalesce(reported.name, name_of_day.name) as known_name,
        reported.is_special_treatment,
        market.market,
        market.region,
        {{ kind_of_security('closes.symbol') }} as kind,
        {{ board_of_security('closes.symbol') }} as board,
        reference.industry,
        membership.sector,
        reported.currency,
        closes.price_basis,
        reported.open,
        reported.high,
        reported.low,
        closes.close,
        closes.previous_trade_date,
        closes.previous_close,
        closes.is_reversal,
        closes.adjustment_factor,
        -- Some vendors deliver half-days with a volume of 0 for all: then it is not known.
        case when delivery.has_volumes then reported.volume end as volume,
        reported.turnover,
        reported.turnover_rate_pct,
        float_cap.float_cap,
        float_cap.total_cap,
        closes.return_index,
        -- The latest session at or above is in the record, or none of the record is.
        case
            when extreme.closing_high_since >= closes.record_begins then extreme.closing_high_since
        end as closing_high_since,
        case
            when extreme.closing_low_since >= closes.record_begins then extreme.closing_low_since
        end as closing_low_since,
        closes.record_begins,
        closes.return_20d_pct,
        closes.return_ytd_pct,
        closes.session_number - listing.session_number + 1 as sessions_since_listing,
        reported.stated_status,
        closes.feed
    from closes
    inner join security_close as reported
        on
            closes.symbol = reported.symbol
            and closes.trade_date = reported.trade_date
            and closes.feed = reported.feed
    inner join delivery
        on
            closes.feed = delivery.feed
            and closes.market = delivery.market
            and closes.trade_date = delivery.trade_date
    inner join market
        on closes.market = market.market
    left join reference
        on closes.symbol = reference.symbol
    left join membership
        on
            closes.symbol = membership.symbol
            and closes.trade_date between membership.valid_from and membership.valid_to
    left join listing
        on closes.symbol = listing.symbol
    left join name_of_day
        on
            closes.symbol = name_of_day.symbol
            and closes.trade_date between name_of_day.valid_from and name_of_day.valid_to
    left join extreme
        on
            closes.symbol = extreme.symbol
            and closes.trade_date = extreme.trade_date
    left join float_cap
        on
            closes.symbol = float_cap.symbol
            and closes.trade_date = float_cap.trade_date

),

limited as (

    select
        *,
        cast(close - previous_close as decimal(18, 6)) as change,
        {{ pct_change('close', 'previous_close') }} as change_pct,
        case
            when
                price_basis = 'traded'
                and coalesce(
                    sessions_since_listing
                    > {{ sessions_without_limit('board', 'trade_date') }},
                    true
                )
                then
                    {{ price_limit(
                        'region', 'board', 'known_name', 'is_special_treatment', 'trade_date'
                    ) }}
        end as price_limit,
        coalesce(
            stated_status,
            case
                when volume > 0 or close <> previous_close then 'traded'
                when volume = 0 then 'no_trade'
            end
        ) as status
    from described

),

judged as (

    select
        *,
        {{ outlier_reason() }} as outlier_reason
    from limited

)

select
    trade_date,
    symbol,
    name,
    market,
    kind,
    board,
    region,
    industry,
    sector,
    currency,
    price_basis,
    open,
    high,
    low,
    close,
    previous_trade_date,
    previous_close,
    change,
    change_pct,
    adjustment_factor,
    cast(
        round(cast(close as double) * cast(adjustment_factor as double), 6) as decimal(18, 6)
    ) as close_adjusted,
    volume,
    turnover,
    turnover_rate_pct,
    float_cap,
    total_cap,
    return_index,
    closing_high_since,
    closing_low_since,
    return_20d_pct,
    return_ytd_pct,
    record_begins,
    cast(price_limit * 100 as decimal(4, 2)) as limit_pct,
    case
        when close = round(previous_close * (1 + price_limit), 2) then 'up'
        when close = round(previous_close * (1 - price_limit), 2) then 'down'
    end as at_limit,
    cast(
        case when sessions_since_listing > 0 then sessions_since_listing end as integer
    ) as sessions_since_listing,
    outlier_reason is not null as is_outlier,
    outlier_reason,
    status,
    stated_status is not null as is_status_reported,
    feed
from judged
