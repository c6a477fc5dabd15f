{{ config(materialized='table') }}

with reference as (

    select * from {{ ref('int_security_reference') }}

),

market as (

    select * from {{ ref('market') }}

),

membership as (

    select * from {{ ref('int_security_sector') }}

),

traded as (

    select
        symbol,
        min(trade_date) as first_trade_date,
        max(trade_date) as last_trade_date
    from {{ ref('security_performance') }}
    group by symbol

),

latest as (

    select
        performance.symbol,
        performance.name,
        traded.first_trade_date,
        traded.last_trade_date
    from traded
    inner join {{ ref('security_performance') }} as performance
        on
            traded.symbol = performance.symbol
            and traded.last_trade_date = performance.trade_date

),

listed_or_traded as (

    select
        coalesce(reference.symbol, latest.symbol) as symbol,
        coalesce(reference.name, latest.name) as name,
        reference.industry,
        reference.reference_feed,
        reference.listed,
        reference.delisted,
        latest.first_trade_date,
        latest.last_trade_date
    from reference
    full join latest
        on reference.symbol = latest.symbol

),

listing as (

    select * from {{ ref('int_security_listing') }}

),

clock as (

    select max(to_date) as trade_date
    from {{ source('raw', 'asked_dates') }}

)

select
    listed_or_traded.symbol,
    listed_or_traded.name,
    market.market,
    market.region,
    {{ kind_of_security('listed_or_traded.symbol') }} as kind,
    {{ board_of_security('listed_or_traded.symbol') }} as board,
    {{ counter_currency('listed_or_traded.symbol', 'market.currency') }} as currency,
    coalesce(listed_or_traded.listed, listing.listed) as listed,
    listed_or_traded.delisted,
    listed_or_traded.industry,
    membership.sector,
    listed_or_traded.reference_feed,
    listed_or_traded.first_trade_date,
    listed_or_traded.last_trade_date
from listed_or_traded
cross join clock
inner join market
    on {{ market_of_security('listed_or_traded.symbol') }} = market.market
left join listing
    on listed_or_traded.symbol = listing.symbol
left join membership
    on
        listed_or_traded.symbol = membership.symbol
        and clock.trade_date between membership.valid_from and membership.valid_to
