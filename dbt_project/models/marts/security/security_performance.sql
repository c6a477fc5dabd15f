with described as (

    select
        closes.trade_date,
        closes.symbol,
        coalesce(stated.name, reference.name) as name,
        market.market,
        market.region,
        reference.industry,
        membership.sector,
        stated.currency,
        stated.open,
        stated.high,
        stated.low,
        closes.close,
        closes.previous_trade_date,
        closes.previous_close,
        stated.volume,
        stated.turnover,
        closes.return_index,
        closes.closing_high_since,
        closes.closing_low_since,
        coalesce(
            stated.stated_status,
            case when stated.volume = 0 then 'no_trade' else 'traded' end
        ) as status,
        closes.feed
    from {{ ref('int_security_close') }} as closes
    inner join {{ ref('stg_security_close') }} as stated
        on
            closes.symbol = stated.symbol
            and closes.trade_date = stated.trade_date
            and closes.feed = stated.feed
    inner join {{ ref('market') }} as market
        on stated.market = market.market
    left join {{ ref('int_security_reference') }} as reference
        on closes.symbol = reference.symbol
    left join {{ ref('int_security_sector') }} as membership
        on
            closes.symbol = membership.symbol
            and closes.trade_date between membership.valid_from and membership.valid_to
    {% if is_incremental() %}
        where
            closes.trade_date >= {{ rebuild_from() }}
            and stated.trade_date >= {{ rebuild_from() }}
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
