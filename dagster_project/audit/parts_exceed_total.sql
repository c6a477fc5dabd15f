select
    'market_turnover' as record_kind,
    total.feed,
    total.market as symbol,
    total.trade_date,
    'its ' || parts.securities || ' securities have a turnover of ' || parts.turnover
    || ', the market one of ' || total.turnover as what
from main.market_turnover as total
inner join (
    select market, trade_date, sum(turnover) as turnover, count(*) as securities
    from main.security_performance
    where trade_date >= $changed_from
    group by market, trade_date
) as parts using (market, trade_date)
where parts.turnover > (1 + $tolerance) * total.turnover
order by total.trade_date desc
