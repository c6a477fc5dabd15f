with parts as (
    select
        market,
        trade_date,
        sum(turnover) as turnover,
        count(*) as securities
    from {{ ref('security_performance') }}
    where trade_date >= {{ changed_from() }}
    group by market, trade_date
)

select
    'market_turnover' as record_kind,
    total.feed,
    total.market as symbol,
    total.trade_date,
    'its ' || parts.securities || ' securities have a turnover of ' || parts.turnover
    || ', the market one of ' || coalesce(total.exchange_turnover, total.turnover) as what
from {{ ref('market_turnover') }} as total
inner join parts
    on
        total.market = parts.market
        and total.trade_date = parts.trade_date
-- The exchange's own total is of all shares; the amount of an index lacks some.
where
    parts.turnover
    > (1 + {{ setting('tolerance') }}) * coalesce(total.exchange_turnover, total.turnover)
order by total.trade_date desc
