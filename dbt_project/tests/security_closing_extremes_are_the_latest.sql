-- Closing highs and lows, found by narrowing down, are those found by comparing every earlier
-- session of the record. Checked for one security per market, since all of them would take minutes.
{{ config(meta={"dagster": {"ref": {"name": "security_performance"}}}) }}

with security as (

    select min(symbol) as symbol
    from {{ ref('dim_security') }}
    where first_trade_date is not null
    group by market

),

sought as (

    select
        sought.symbol,
        sought.trade_date,
        sought.closing_high_since,
        sought.closing_low_since,
        max(
            case when earlier.return_index >= sought.return_index then earlier.trade_date end
        ) as latest_at_or_above,
        max(
            case when earlier.return_index <= sought.return_index then earlier.trade_date end
        ) as latest_at_or_below
    from {{ ref('security_performance') }} as sought
    inner join security
        on sought.symbol = security.symbol
    left join {{ ref('security_performance') }} as earlier
        on
            sought.symbol = earlier.symbol
            and sought.trade_date > earlier.trade_date
            and sought.record_begins <= earlier.trade_date
    where {{ is_rebuilt('sought.symbol', 'sought.trade_date') }}
    group by
        sought.symbol, sought.trade_date, sought.closing_high_since, sought.closing_low_since

)

select *
from sought
where
    closing_high_since is distinct from latest_at_or_above
    or closing_low_since is distinct from latest_at_or_below
