with totals as (

    select * from {{ ref('int_market_turnover') }}

),

-- The latest rate at or before the day, at most a week old: an old rate would give a wrong figure.
dated_rates as (

    select
        totals.market,
        totals.trade_date,
        rates.to_currency,
        rates.rate,
        row_number() over (
            partition by totals.market, totals.trade_date, rates.to_currency
            order by rates.rate_date desc
        ) as age_rank
    from totals
    inner join {{ ref('int_exchange_rate') }} as rates
        on
            totals.currency = rates.from_currency
            and totals.trade_date >= rates.rate_date
            and {{ dbt.dateadd('day', -7, 'totals.trade_date') }} <= rates.rate_date
    {% if is_incremental() %}
        where totals.trade_date >= {{ rebuild_from() }}
    {% endif %}

),

rates as (

    select
        {% for currency in turnover_currencies() %}
            max(case when to_currency = '{{ currency | upper }}' then rate end)
                as {{ currency }}_rate,
        {% endfor %}
        market,
        trade_date
    from dated_rates
    where age_rank = 1
    group by market, trade_date

),

averaged as (

    select
        market,
        trade_date,
        case
            when
                count(*) over last_20_sessions = 20
                then {{ to_amount("cast(sum(turnover) over last_20_sessions as double) / 20") }}
        end as average_20d
    from totals
    window last_20_sessions as (
        partition by market order by session_number range between 19 preceding and current row
    )

)

select
    totals.trade_date,
    totals.market,
    totals.currency,
    totals.turnover,
    {% for currency in turnover_currencies() %}
        case
            when totals.currency = '{{ currency | upper }}' then totals.turnover
            else {{ to_amount("cast(totals.turnover as double) * rates." ~ currency ~ "_rate") }}
        end as turnover_{{ currency }},
    {% endfor %}
    totals.previous_trade_date,
    previous.turnover as previous_turnover,
    {{ pct_change('totals.turnover', 'previous.turnover') }} as change_pct,
    averaged.average_20d,
    round(
        cast(totals.turnover as double) / nullif(cast(averaged.average_20d as double), 0), 6
    ) as ratio_to_average_20d,
    totals.is_half_day,
    totals.feed
from totals
inner join averaged
    on
        totals.market = averaged.market
        and totals.trade_date = averaged.trade_date
left join totals as previous
    on
        totals.market = previous.market
        and totals.previous_trade_date = previous.trade_date
left join rates
    on
        totals.market = rates.market
        and totals.trade_date = rates.trade_date
{% if is_incremental() %}
    where totals.trade_date >= {{ rebuild_from() }}
{% endif %}
