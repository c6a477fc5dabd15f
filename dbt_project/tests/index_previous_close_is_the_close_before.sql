-- An index has no ex-dates: its previous close, and the change in percent that a feed states, must
-- follow from the close of the session before. Where not, a close is wrong or one of another day.
{{ config(severity="warn", meta={"dagster": {"ref": {"name": "index_performance"}}}) }}

select
    performance.trade_date,
    performance.symbol,
    performance.previous_close,
    before.close as close_before,
    performance.change_pct,
    stated.stated_change_pct
from {{ ref('index_performance') }} as performance
inner join {{ ref('int_index_close') }} as stated
    on
        performance.symbol = stated.symbol
        and performance.trade_date = stated.trade_date
left join {{ ref('index_performance') }} as before
    on
        performance.symbol = before.symbol
        and performance.previous_trade_date = before.trade_date
where
    performance.trade_date >= {{ rebuild_from() }}
    and (
        abs(performance.previous_close - before.close) > 0.0001 * before.close
        or abs(performance.change_pct - stated.stated_change_pct) > 0.015
    )
