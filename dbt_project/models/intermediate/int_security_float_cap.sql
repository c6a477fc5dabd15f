{{ config(materialized='incremental', incremental_strategy='rebuild_securities') }}

-- Turnover ÷ turnover rate is the value of the shares that can be traded, at the prices of the day.
-- It needs no price, so files with adjusted prices give it too.
with closes as (

    select
        symbol,
        trade_date,
        session_number
    from {{ ref('int_security_close') }}
    {% if is_incremental() %}
        where {{ is_rebuilt(sessions_before=true) }}
    {% endif %}

),

rated as (

    select
        security_close.symbol,
        security_close.trade_date,
        min_by(
            100 * cast(security_close.turnover as double) / security_close.turnover_rate_pct,
            feed.priority
        ) as float_cap
    from {{ ref('int_counted_security_close') }} as security_close
    inner join {{ source('raw', 'feed') }} as feed
        on security_close.feed = feed.feed
    where
        security_close.turnover_rate_pct > 0
        and security_close.turnover > 0
    {% if is_incremental() %}
        and {{ is_rebuilt(
            'security_close.symbol', 'security_close.trade_date', sessions_before=true
        ) }}
    {% endif %}
    group by security_close.symbol, security_close.trade_date

),

rated_session as (

    select
        closes.symbol,
        closes.trade_date,
        closes.session_number,
        rated.float_cap
    from closes
    left join rated
        on
            closes.symbol = rated.symbol
            and closes.trade_date = rated.trade_date

),

estimated as (

    {{ trailing_median('rated_session', 'float_cap', 20) | indent(4) }}

),

stated as (

    select * from {{ ref('stg_security_valuation') }}
    {% if is_incremental() %}
        where next_trade_date >= {{ rebuild_from() }}
    {% endif %}

),

-- A vendor's own figure counts for the session after it.
valuation as (

    {{ from_best_feed('stated', ['symbol', 'next_trade_date']) | indent(4) }}

)

select
    estimated.symbol,
    estimated.trade_date,
    coalesce(valuation.float_cap, {{ to_amount('estimated.median') }}) as float_cap,
    valuation.total_cap,
    valuation.float_cap is null as is_estimate
from estimated
left join valuation
    on
        estimated.symbol = valuation.symbol
        and estimated.trade_date = valuation.next_trade_date
where
    (valuation.float_cap is not null or estimated.value_count >= {{ fewest_estimates() }})
{% if is_incremental() %}
    and {{ is_rebuilt('estimated.symbol', 'estimated.trade_date') }}
{% endif %}
