-- The other staging views join this one, so what is a session and what is asked for is said once.
select
    calendar.market,
    calendar.trade_date,
    calendar.previous_trade_date,
    calendar.session_number,
    calendar.is_half_day,
    calendar.calendar_source
from {{ ref('stg_calendar') }} as calendar
inner join {{ source('raw', 'asked_dates') }} as asked
    on calendar.trade_date between asked.from_date and asked.to_date
