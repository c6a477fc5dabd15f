-- Compared with the market's turnover of the session: a few thousand yuan were much in 1990.
-- B shares, dealt in other currencies, trade that little.
with usual as (
    select
        feed,
        trade_date,
        median(cast(turnover as double)) as turnover,
        count(*) as securities,
        min(symbol) as symbol
    from {{ ref('int_counted_security_close') }}
    where turnover > 0 and currency = 'CNY' and trade_date >= {{ changed_from() }}
    group by feed, trade_date
)

select
    'security_close' as record_kind,
    usual.feed,
    usual.trade_date,
    case when usual.securities = 1 then usual.symbol end as symbol,
    'half of its ' || usual.securities || ' securities have a turnover of at most '
    || round(usual.turnover) || ', of ' || round(market.turnover_cny / 1e9) || ' billion in all'
        as what
from usual
inner join {{ ref('cross_market_turnover') }} as market
    on
        usual.trade_date = market.trade_date
        and market.scope = 'mainland'
where usual.turnover * 1e6 < {{ setting('millionths') }} * market.turnover_cny
order by usual.trade_date desc, usual.feed asc
