with total as (

    select * from {{ ref('int_market_turnover') }}

),

exchange_rate as (

    select * from {{ ref('int_exchange_rate') }}

),

-- The latest rate at or before the day, at most a week old: an old rate would give a wrong figure.
dated_rate as (

    select
        total.market,
        total.trade_date,
        exchange_rate.to_currency,
        exchange_rate.rate,
        row_number() over (
            partition by total.market, total.trade_date, exchange_rate.to_currency
            order by exchange_rate.rate_date desc
        ) as age_rank
    from total
    inner join exchange_rate
        on
            total.currency = exchange_rate.from_currency
            and total.trade_date >= exchange_rate.rate_date
            and {{ dbt.dateadd('day', -7, 'total.trade_date') }} <= exchange_rate.rate_date

),

rate as (

    select
        {% for currency in turnover_currencies() %}
            max(case when to_currency = '{{ currency | upper }}' then rate end)
                as {{ currency }}_rate,
        {% endfor %}
        market,
        trade_date
    from dated_rate
    where age_rank = 1
    group by market, trade_date

)

select
    total.market,
    total.trade_date,
    total.turnover,
    {% for currency in turnover_currencies() %}
        case
            when total.currency = '{{ currency | upper }}' then total.turnover
            else {{ to_amount("cast(total.turnover as double) * rate." ~ currency ~ "_rate") }}
        end as turnover_{{ currency }},
    {% endfor %}
    total.is_covered
from total
left join rate
    on
        total.market = rate.market
        and total.trade_date = rate.trade_date
