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
        reference.name_en,
        reference.stated_on,
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

english as (

    select * from {{ ref('security_name_en') }}

),

former_name as (

    select
        symbol,
        {{ dbt.listagg(
            "valid_from || ' to ' || valid_to || ': ' || name", "'; '", 'order by valid_from'
        ) }} as names
    from {{ ref('int_security_former_name') }}
    group by symbol

),

code_change as (

    select * from {{ ref('code_change') }}

),

former_code as (

    select
        new_symbol as symbol,
        {{ dbt.listagg(
            "'to ' || cast(" ~ dbt.dateadd('day', -1, 'changed') ~ " as date) || ': ' || old_symbol",
            "'; '",
            'order by changed'
        ) }} as codes
    from code_change
    group by new_symbol

),

clock as (

    select max(to_date) as trade_date
    from {{ source('raw', 'asked_dates') }}

)

select
    listed_or_traded.symbol,
    listed_or_traded.name,
    coalesce(
        listed_or_traded.name_en,
        english.name_en,
        case when {{ is_latin_name('listed_or_traded.name') }} then listed_or_traded.name end
    ) as name_en,
    former_name.names as former_names,
    former_code.codes as former_codes,
    code_change.new_symbol,
    code_change.changed as new_symbol_from,
    market.market,
    market.region,
    {{ kind_of_security('listed_or_traded.symbol') }} as kind,
    {{ board_of_security('listed_or_traded.symbol') }} as board,
    {{ counter_currency('listed_or_traded.symbol', 'market.currency') }} as currency,
    coalesce(listed_or_traded.listed, listing.listed) as listed,
    listed_or_traded.delisted,
    listed_or_traded.industry,
    membership.sector,
    listed_or_traded.stated_on as membership_as_of,
    listed_or_traded.reference_feed,
    listed_or_traded.first_trade_date,
    listed_or_traded.last_trade_date
from listed_or_traded
cross join clock
inner join market
    on {{ market_of_security('listed_or_traded.symbol') }} = market.market
left join listing
    on listed_or_traded.symbol = listing.symbol
left join english
    on listed_or_traded.symbol = english.symbol
left join former_name
    on listed_or_traded.symbol = former_name.symbol
left join former_code
    on listed_or_traded.symbol = former_code.symbol
left join code_change
    on listed_or_traded.symbol = code_change.old_symbol
left join membership
    on
        listed_or_traded.symbol = membership.symbol
        and clock.trade_date between membership.valid_from and membership.valid_to
