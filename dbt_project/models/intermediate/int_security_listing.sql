-- Without a list that states the date, a security was listed on its first row where that row comes
-- with a reference price, and its feed delivered the market's session before. Where the feed did
-- not, a first row that moved beyond any price limit tells the same.
with calendar as (

    select * from {{ ref('stg_calendar') }}

),

reference as (

    select
        symbol,
        {{ market_of_security('symbol') }} as market,
        listed
    from {{ ref('int_security_reference') }}

),

listed_before as (

    select distinct symbol from {{ ref('stg_first_reference_close') }}

),

first_close as (

    select
        closes.symbol,
        closes.trade_date,
        closes.is_listing
        or coalesce(
            listed_before.symbol is null
            and closes.symbol not like '%.HK'
            and {{ is_beyond_any_limit(
                'closes.trade_date', pct_change('closes.close', 'closes.previous_close')
            ) }},
            false
        ) as is_listing
    from {{ ref('int_security_close') }} as closes
    left join listed_before
        on closes.symbol = listed_before.symbol
    where closes.previous_trade_date is null

),

dated as (

    select
        coalesce(reference.symbol, first_close.symbol) as symbol,
        coalesce(reference.market, {{ market_of_security('first_close.symbol') }}) as market,
        coalesce(
            reference.listed,
            case when first_close.is_listing then first_close.trade_date end
        ) as listed,
        reference.listed is not null as is_stated
    from reference
    full join first_close
        on reference.symbol = first_close.symbol

),

-- The first session on or after the date, where the calendar goes back so far.
numbered as (

    select
        dated.symbol,
        dated.listed,
        dated.is_stated,
        min(calendar.session_number) as session_number
    from dated
    inner join calendar
        on
            dated.market = calendar.market
            and dated.listed <= calendar.trade_date
            and {{ dbt.dateadd('day', 15, 'dated.listed') }} >= calendar.trade_date
    where dated.listed is not null
    group by dated.symbol, dated.listed, dated.is_stated

)

select
    symbol,
    listed,
    is_stated,
    session_number
from numbered
