select
    'security_close' as record_kind,
    feed,
    trade_date,
    min(symbol) filter (where is_wrong) as symbol,
    count(*) filter (where is_wrong) || ' of ' || count(*)
    || ' rows have turnover ÷ volume outside low and high, e.g. '
    || min(symbol) filter (where is_wrong) as what
from (
    select
        feed,
        trade_date,
        symbol,
        turnover::double / volume < low / $margin
        or turnover::double / volume > high * $margin as is_wrong
    from main.security_performance
    where trade_date >= $changed_from and volume > 0 and turnover > 0
)
group by feed, trade_date
having count(*) filter (where is_wrong) > $share * count(*)
order by trade_date desc, feed
