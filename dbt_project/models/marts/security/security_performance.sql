with closes as (

    select * from {{ ref('int_security_close') }}

),

security_close as (

    select * from {{ ref('stg_security_close') }}

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

described as (

    select
        closes.trade_date,
        closes.symbol,
        coalesce(reported.name, reference.name) as name,
        market.market,
        market.region,
        reference.industry,
        membership.sector,
        reported.currency,
        reported.open,
        reported.high,
        reported.low,
        closes.close,
        closes.previous_trade_date,
        closes.previous_close,
        reported.volume,
        reported.turnover,
        closes.return_index,
        closes.closing_high_since,
        closes.closing_low_since,
        coalesce(
            reported.stated_status,
            case when reported.volume = 0 then 'no_trade' else 'traded' end
        ) as status,
        closes.feed
    from closes
    inner join security_close as reported
        on
            closes.symbol = reported.symbol
            and closes.trade_date = reported.trade_date
            and closes.feed = reported.feed
    inner join market
        on reported.market = market.market
    left join reference
        on closes.symbol = reference.symbol
    left join membership
        on
            closes.symbol = membership.symbol
            and closes.trade_date between membership.valid_from and membership.valid_to
    {% if is_incremental() %}
        where
            closes.trade_date >= {{ rebuild_from() }}
            and reported.trade_date >= {{ rebuild_from() }}
    {% endif %}

),

limited as (

    select
        *,
        {{ price_limit('symbol', 'name', 'trade_date') }} as price_limit
    from described

)

select
    trade_date,
    symbol,
    name,
    market,
    region,
    industry,
    sector,
    currency,
    open,
    high,
    low,
    close,
    previous_trade_date,
    previous_close,
    cast(close - previous_close as decimal(18, 6)) as change,
    {{ pct_change('close', 'previous_close') }} as change_pct,
    volume,
    turnover,
    return_index,
    closing_high_since,
    closing_low_since,
    case
        when close = round(previous_close * (1 + price_limit), 2) then 'up'
        when close = round(previous_close * (1 - price_limit), 2) then 'down'
    end as at_limit,
    cast(price_limit * 100 as decimal(4, 2)) as limit_pct,
    status,
    feed
from limited
