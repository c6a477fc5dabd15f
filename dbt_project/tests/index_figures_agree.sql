-- The figures of an index follow from one another, and from the closes of the sessions they name.
{{ config(meta={"dagster": {"ref": {"name": "index_performance"}}}) }}

with performance as (

    select * from {{ ref('index_performance') }}

)

select
    performance.trade_date,
    performance.symbol
from performance
left join performance as high
    on
        performance.symbol = high.symbol
        and performance.closing_high_since = high.trade_date
left join performance as low
    on
        performance.symbol = low.symbol
        and performance.closing_low_since = low.trade_date
where
    performance.trade_date >= {{ rebuild_from() }}
    and (
        performance.change <> performance.close - performance.previous_close
        or sign(performance.change_pct) <> sign(performance.change)
        or performance.closing_high_since >= performance.trade_date
        or performance.closing_low_since >= performance.trade_date
        or high.close < performance.close
        or low.close > performance.close
        or (performance.closing_high_since is not null and high.symbol is null)
        or (performance.closing_low_since is not null and low.symbol is null)
        or (performance.is_all_time_high and performance.drawdown_pct <> 0)
        or performance.drawdown_pct > 0
        or performance.previous_trade_date >= performance.trade_date
        -- Some feeds give high and low to two decimals and the close to more.
        or performance.close > performance.high + 0.01
        or performance.close < performance.low - 0.01
        or performance.high < performance.low
    )
