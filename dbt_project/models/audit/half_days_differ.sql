select
    'market_turnover' as record_kind,
    stated.feed,
    stated.market as symbol,
    stated.trade_date,
    file.path as file,
    stated.line_number,
    case
        when stated.is_half_day then 'is marked as a half-day, and is none of the calendar''s'
        else 'is a half-day of the calendar, and is not marked as one'
    end as what
from {{ source('raw', 'market_turnover') }} as stated
inner join {{ source('raw', 'file') }} as file on stated.file_id = file.file_id
inner join {{ ref('dim_session') }} as session
    on stated.market = session.market and stated.trade_date = session.trade_date
inner join {{ source('raw', 'asked_dates') }} as asked
    on stated.trade_date between asked.from_date and asked.to_date
where
    stated.is_current
    and stated.trade_date >= {{ changed_from() }}
    and stated.is_half_day <> session.is_half_day
order by stated.trade_date desc
