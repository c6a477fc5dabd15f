-- Each market's share of its region's turnover changes little from day to day.
with share as (
    select
        turnover.market,
        turnover.trade_date,
        turnover.feed,
        dim_market.region,
        100 * cast(turnover.turnover_cny as double) / sum(turnover.turnover_cny) over (
            partition by dim_market.region, turnover.trade_date
        ) as share_pct,
        count(*) over (partition by dim_market.region, turnover.trade_date) as markets
    from {{ ref('market_turnover') }} as turnover
    inner join {{ ref('dim_market') }} as dim_market on turnover.market = dim_market.market
    where turnover.trade_date >= {{ dbt.dateadd('day', -45, changed_from()) }}
),

compared as (
    select
        market,
        trade_date,
        feed,
        region,
        share_pct,
        median(share_pct) over (
            partition by market order by trade_date rows between 20 preceding and 1 preceding
        ) as usual
    from share
    where markets > 1
)

select
    'market_turnover' as record_kind,
    feed,
    market as symbol,
    trade_date,
    round(share_pct, 1) || ' % of the turnover of ' || region || ', after a median of '
    || round(usual, 1) || ' %' as what
from compared
where trade_date >= {{ changed_from() }} and abs(share_pct - usual) > {{ setting('points') }}
order by trade_date desc, market asc
