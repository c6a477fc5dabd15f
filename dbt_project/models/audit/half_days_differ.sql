select
    'market_turnover' as record_kind,
    reported.feed,
    reported.market as symbol,
    reported.trade_date,
    file.path as file,
    reported.line_number,
    case
        when reported.is_half_day then 'is marked as a half-day, but is none in the calendar'
        else 'is a half-day in the calendar, but is not marked as one'
    end as what
from {{ source('raw', 'market_turnover') }} as reported
inner join {{ source('raw', 'file') }} as file on reported.file_id = file.file_id
inner join {{ ref('dim_session') }} as session
    on reported.market = session.market and reported.trade_date = session.trade_date
inner join {{ source('raw', 'asked_dates') }} as asked
    on reported.trade_date between asked.from_date and asked.to_date
where
    reported.is_current
    and reported.trade_date >= {{ changed_from() }}
    and reported.is_half_day <> session.is_half_day
order by reported.trade_date desc
