with definition as (

    select * from {{ ref('index_definition') }}

),

closes as (

    select * from {{ ref('int_index_return') }}

),

standing as (

    select * from {{ ref('int_index_standing') }}

),

close_extreme as (

    {{ closing_extreme_since(ref('int_index_close'), 'close') | indent(4) }}

),

change_extreme as (

    {{ closing_extreme_since(ref('int_index_close'), 'change_pct') | indent(4) }}

)

select
    closes.trade_date,
    closes.symbol,
    definition.name,
    definition.region,
    definition.currency,
    closes.open,
    closes.high,
    closes.low,
    closes.close,
    closes.previous_trade_date,
    closes.previous_close,
    closes.change,
    closes.change_pct,
    closes.volume,
    closes.turnover,
    close_extreme.closing_high_since,
    close_extreme.closing_low_since,
    close_extreme.closing_high_since is null as is_record_high,
    standing.record_begins,
    change_extreme.closing_high_since as change_high_since,
    change_extreme.closing_low_since as change_low_since,
    standing.streak,
    closes.return_5d_pct,
    closes.return_20d_pct,
    closes.return_wtd_pct,
    closes.return_mtd_pct,
    closes.return_qtd_pct,
    closes.return_ytd_pct,
    closes.return_1y_pct,
    standing.high_52w,
    standing.low_52w,
    standing.drawdown_pct,
    closes.feed
from closes
inner join definition
    on closes.symbol = definition.symbol
inner join standing
    on
        closes.symbol = standing.symbol
        and closes.trade_date = standing.trade_date
inner join close_extreme
    on
        closes.symbol = close_extreme.symbol
        and closes.trade_date = close_extreme.trade_date
left join change_extreme
    on
        closes.symbol = change_extreme.symbol
        and closes.trade_date = change_extreme.trade_date
where closes.is_covered
{% if is_incremental() %}
    and closes.trade_date >= {{ rebuild_from() }}
{% endif %}
