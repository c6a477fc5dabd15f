{{ config(materialized='table') }}

select
    calendar.trade_date,
    calendar.market,
    market.region,
    calendar.previous_trade_date,
    calendar.session_number,
    calendar.is_half_day,
    calendar.calendar_source,
    session.market is not null as is_asked
from {{ ref('stg_calendar') }} as calendar
inner join {{ ref('market') }} as market
    on calendar.market = market.market
left join {{ ref('stg_session') }} as session
    on
        calendar.market = session.market
        and calendar.trade_date = session.trade_date
