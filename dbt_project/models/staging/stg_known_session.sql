with calendar as (

    select * from {{ ref('stg_calendar') }}

),

covered_session as (

    select * from {{ ref('stg_session') }}

),

clock as (

    select max(to_date) as trade_date from {{ source('raw', 'asked_dates') }}

)

select
    calendar.market,
    calendar.trade_date,
    calendar.previous_trade_date,
    calendar.session_number,
    calendar.is_half_day,
    covered_session.trade_date is not null as is_covered
from calendar
inner join clock
    on calendar.trade_date <= clock.trade_date
left join covered_session
    on
        calendar.market = covered_session.market
        and calendar.trade_date = covered_session.trade_date
