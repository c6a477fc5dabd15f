-- All is the sum of the mainland and Hong Kong, a total is the sum of its markets, shares are
-- 100 %, and a total that lacks a market is never complete.
{{ config(meta={"dagster": {"ref": {"name": "cross_market_turnover"}}}) }}

with by_scope as (

    select
        trade_date,
        max(case when scope = 'all' then turnover_cny end) as of_all,
        sum(case when scope <> 'all' then turnover_cny end) as of_parts,
        max(case when scope = 'all' then markets_open end) as markets_of_all,
        sum(case when scope <> 'all' then markets_open end) as markets_of_parts,
        sum(case when scope <> 'all' then share_of_all_pct end) as share_pct,
        bool_or(scope = 'all' and is_complete) as is_complete,
        bool_and(is_complete) as are_parts_complete,
        bool_or(markets_reported > markets_open) as has_too_many
    from {{ ref('cross_market_turnover') }}
    where trade_date >= {{ rebuild_from() }}
    group by trade_date

),

by_market as (

    select
        trade_date,
        sum(turnover_cny) as turnover_cny,
        count(*) as markets
    from {{ ref('market_turnover') }}
    group by trade_date

)

select
    by_scope.trade_date,
    by_scope.of_all,
    by_scope.of_parts,
    by_market.turnover_cny,
    by_scope.share_pct
from by_scope
left join by_market
    on by_scope.trade_date = by_market.trade_date
where
    by_scope.of_all <> by_scope.of_parts
    or by_scope.of_all <> by_market.turnover_cny
    or by_scope.markets_of_all <> by_scope.markets_of_parts
    or abs(by_scope.share_pct - 100) > 0.00001
    or by_scope.is_complete <> by_scope.are_parts_complete
    or by_scope.is_complete <> (by_scope.markets_of_all = coalesce(by_market.markets, 0))
    or by_scope.has_too_many
