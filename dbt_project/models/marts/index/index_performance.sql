with definition as (

    select * from {{ ref('index_definition') }}

),

closes as (

    select * from {{ ref('int_index_close') }}

),

extremes as (

    {{ closing_extreme_since('closes', 'close') | indent(4) }}

),

last_session_of_year as (

    select
        market,
        extract(year from trade_date) as calendar_year,
        max(trade_date) as trade_date
    from {{ ref('stg_calendar') }}
    group by market, extract(year from trade_date)

),

referenced as (

    select
        closes.*,
        max(closes.close) over (
            partition by closes.symbol order by closes.trade_date
        ) as running_high,
        -- Never a close of longer ago: a change over two sessions must not look like one over one.
        coalesce(
            closes.stated_previous_close,
            closes.close - closes.stated_change,
            previous.close
        ) as previous_close,
        five_back.close as close_5d,
        twenty_back.close as close_20d,
        year_end.close as close_year_end
    from closes
    left join closes as previous
        on
            closes.symbol = previous.symbol
            and closes.previous_trade_date = previous.trade_date
    left join closes as five_back
        on
            closes.symbol = five_back.symbol
            and closes.session_number - 5 = five_back.session_number
    left join closes as twenty_back
        on
            closes.symbol = twenty_back.symbol
            and closes.session_number - 20 = twenty_back.session_number
    left join last_session_of_year as year_before
        on
            closes.market = year_before.market
            and extract(year from closes.trade_date) - 1 = year_before.calendar_year
    left join closes as year_end
        on
            closes.symbol = year_end.symbol
            and year_before.trade_date = year_end.trade_date

)

select
    referenced.trade_date,
    referenced.symbol,
    definition.name,
    definition.region,
    definition.currency,
    referenced.open,
    referenced.high,
    referenced.low,
    referenced.close,
    referenced.previous_trade_date,
    cast(referenced.previous_close as decimal(18, 6)) as previous_close,
    cast(referenced.close - referenced.previous_close as decimal(18, 6)) as change,
    {{ pct_change('referenced.close', 'referenced.previous_close') }} as change_pct,
    referenced.volume,
    referenced.turnover,
    extremes.closing_high_since,
    extremes.closing_low_since,
    extremes.closing_high_since is null as is_all_time_high,
    {{ pct_change('referenced.close', 'referenced.close_5d') }} as return_5d_pct,
    {{ pct_change('referenced.close', 'referenced.close_20d') }} as return_20d_pct,
    {{ pct_change('referenced.close', 'referenced.close_year_end') }} as return_ytd_pct,
    {{ pct_change('referenced.close', 'referenced.running_high') }} as drawdown_pct,
    referenced.feed
from referenced
inner join definition
    on referenced.symbol = definition.symbol
inner join extremes
    on
        referenced.symbol = extremes.symbol
        and referenced.trade_date = extremes.trade_date
{% if is_incremental() %}
    where referenced.trade_date >= {{ rebuild_from() }}
{% endif %}
