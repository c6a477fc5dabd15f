-- A level a hundred times too high, an amount in thousands or in hundred millions: a figure far
-- from those of the sessions before is likely one in another unit, or of another series.
{{ config(severity="warn", meta={"dagster": {"ref": {"name": "index_performance"}}}) }}

select
    trade_date,
    symbol,
    'change_pct' as measure,
    change_pct as figure
from {{ ref('index_performance') }}
where
    trade_date >= {{ rebuild_from() }}
    and abs(change_pct) > 20

union all

select
    trade_date,
    market as symbol,
    'ratio_to_average_20d' as measure,
    ratio_to_average_20d as figure
from {{ ref('market_turnover') }}
where
    trade_date >= {{ rebuild_from() }}
    and not ratio_to_average_20d between 0.1 and 5
