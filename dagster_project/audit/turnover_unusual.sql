select
    'market_turnover' as record_kind,
    turnover.feed,
    turnover.market as symbol,
    turnover.trade_date,
    origin.file,
    origin.line_number,
    'turnover is ' || round(turnover.ratio_to_average_20d, 2)
    || ' times the average of twenty sessions' as what
from main.market_turnover as turnover
left join (
    select stated.market, stated.trade_date, stated.feed, min(file.path) as file,
        min(stated.line_number) as line_number
    from raw.market_turnover as stated
    inner join raw.file as file using (file_id)
    where stated.is_current
    group by all
) as origin using (market, trade_date, feed)
where
    turnover.trade_date >= $changed_from
    and (
        turnover.ratio_to_average_20d > $high
        or turnover.ratio_to_average_20d
        < case when turnover.is_half_day then $low_half_day else $low end
    )
order by abs(ln(turnover.ratio_to_average_20d)) desc
