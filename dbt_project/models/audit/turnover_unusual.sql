with origin as (
    select
        record.market,
        record.trade_date,
        record.feed,
        min(file.path) as file,
        min(record.line_number) as line_number
    from {{ source('raw', 'market_turnover') }} as record
    inner join {{ source('raw', 'file') }} as file on record.file_id = file.file_id
    where record.is_current
    group by record.market, record.trade_date, record.feed
)

select
    'market_turnover' as record_kind,
    turnover.feed,
    turnover.market as symbol,
    turnover.trade_date,
    origin.file,
    origin.line_number,
    'turnover is ' || round(turnover.ratio_to_average_20d, 2)
    || ' times the average of the twenty sessions before' as what
from {{ ref('market_turnover') }} as turnover
left join origin
    on
        turnover.market = origin.market
        and turnover.trade_date = origin.trade_date
        and turnover.feed = origin.feed
where
    turnover.trade_date >= {{ changed_from() }}
    and (
        turnover.ratio_to_average_20d > {{ setting('high') }}
        or turnover.ratio_to_average_20d < case
            when turnover.is_half_day then {{ setting('low_half_day') }}
            else {{ setting('low') }}
        end
    )
order by abs(ln(turnover.ratio_to_average_20d)) desc
