with total as (

    select
        *,
        market as symbol
    from {{ ref('int_market_turnover') }}

),

converted as (

    select * from {{ ref('int_converted_turnover') }}

),

extreme as (

    {{ closing_extreme_since('total', 'turnover') | indent(4) }}

),

averaged as (

    select
        market,
        trade_date,
        case
            when
                count(*) over twenty_before = 20
                then {{ to_amount("cast(sum(turnover) over twenty_before as double) / 20") }}
        end as average_20d
    from total
    window twenty_before as (
        partition by market order by session_number range between 20 preceding and 1 preceding
    )

)

select
    total.trade_date,
    total.market,
    total.currency,
    total.basis,
    total.turnover,
    total.exchange_turnover,
    extreme.closing_high_since as turnover_high_since,
    {% for currency in turnover_currencies() %}
        converted.turnover_{{ currency }},
    {% endfor %}
    total.previous_trade_date,
    previous.turnover as previous_turnover,
    {{ pct_change('total.turnover', 'previous.turnover') }} as change_pct,
    averaged.average_20d,
    round(
        cast(total.turnover as double) / nullif(cast(averaged.average_20d as double), 0), 6
    ) as ratio_to_average_20d,
    total.is_half_day,
    total.feed
from total
inner join converted
    on
        total.market = converted.market
        and total.trade_date = converted.trade_date
left join extreme
    on
        total.symbol = extreme.symbol
        and total.trade_date = extreme.trade_date
inner join averaged
    on
        total.market = averaged.market
        and total.trade_date = averaged.trade_date
left join total as previous
    on
        total.market = previous.market
        and total.previous_trade_date = previous.trade_date
where total.is_covered
{% if is_incremental() %}
    and total.trade_date >= {{ rebuild_from() }}
{% endif %}
