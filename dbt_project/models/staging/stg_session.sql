{{ config(materialized='table') }}

-- The other staging views join this one: which sessions there are and count is decided here, once.
-- A table, so that what joins millions of rows knows how many sessions there are.
with calendar as (

    select * from {{ ref('stg_calendar') }}

),

covered as (

    select * from {{ source('raw', 'asked_dates') }}

)

select
    calendar.market,
    calendar.trade_date,
    calendar.previous_trade_date,
    calendar.session_number,
    calendar.is_half_day,
    calendar.calendar_source
from calendar
inner join covered
    on calendar.trade_date between covered.from_date and covered.to_date
