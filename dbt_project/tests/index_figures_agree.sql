-- The figures of an index follow from one another, and from the closes of the sessions they name,
-- which need not be covered.
{{ config(meta={"dagster": {"ref": {"name": "index_performance"}}}) }}

with performance as (

    select * from {{ ref('index_performance') }}
    where trade_date >= {{ rebuild_from() }}

),

known as (

    select * from {{ ref('int_index_close') }}

)

select
    performance.trade_date,
    performance.symbol
from performance
left join known as high
    on
        performance.symbol = high.symbol
        and performance.closing_high_since = high.trade_date
left join known as low
    on
        performance.symbol = low.symbol
        and performance.closing_low_since = low.trade_date
left join known as bigger
    on
        performance.symbol = bigger.symbol
        and performance.change_high_since = bigger.trade_date
left join known as smaller
    on
        performance.symbol = smaller.symbol
        and performance.change_low_since = smaller.trade_date
where
    performance.change <> performance.close - performance.previous_close
    or sign(performance.change_pct) <> sign(performance.change)
    or sign(performance.streak) <> sign(performance.change)
    or performance.closing_high_since >= performance.trade_date
    or performance.closing_low_since >= performance.trade_date
    or performance.change_high_since >= performance.trade_date
    or performance.change_low_since >= performance.trade_date
    or high.close < performance.close
    or low.close > performance.close
    or bigger.change_pct < performance.change_pct
    or smaller.change_pct > performance.change_pct
    or (performance.closing_high_since is not null and high.symbol is null)
    or (performance.closing_low_since is not null and low.symbol is null)
    or (performance.change_high_since is not null and bigger.symbol is null)
    or (performance.change_low_since is not null and smaller.symbol is null)
    or (performance.is_record_high and performance.drawdown_pct <> 0)
    or performance.drawdown_pct > 0
    or performance.record_begins > performance.trade_date
    or performance.close > performance.high_52w
    or performance.close < performance.low_52w
    or performance.previous_trade_date >= performance.trade_date
    -- Some feeds give high and low to two decimals and the close to more.
    or performance.close > performance.high + 0.01
    or performance.close < performance.low - 0.01
    or performance.high < performance.low
