{{ config(materialized='table') }}

with calendar as (

    select * from {{ ref('stg_calendar') }}

),

market as (

    select * from {{ ref('market') }}

),

session as (

    select * from {{ ref('stg_session') }}

)

select
    calendar.trade_date,
    calendar.market,
    market.region,
    calendar.previous_trade_date,
    calendar.session_number,
    calendar.is_half_day,
    calendar.closes_at,
    calendar.calendar_source,
    calendar.is_guessed,
    session.market is not null as is_asked
from calendar
inner join market
    on calendar.market = market.market
left join session
    on
        calendar.market = session.market
        and calendar.trade_date = session.trade_date
