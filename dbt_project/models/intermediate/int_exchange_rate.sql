with leg as (

    select
        feed,
        base_currency,
        currency,
        rate_date,
        cast(rate as double) as rate
    from {{ ref('stg_exchange_rate') }}

    union all

    select distinct
        feed,
        base_currency,
        base_currency as currency,
        rate_date,
        cast(1 as double) as rate
    from {{ ref('stg_exchange_rate') }}

),

crossed as (

    select
        bought.currency as from_currency,
        sold.currency as to_currency,
        bought.rate_date,
        sold.rate / bought.rate as rate,
        row_number() over (
            partition by bought.currency, sold.currency, bought.rate_date
            order by feed.priority, feed.feed, bought.base_currency
        ) as feed_rank
    from leg as bought
    inner join leg as sold
        on
            bought.feed = sold.feed
            and bought.base_currency = sold.base_currency
            and bought.rate_date = sold.rate_date
            and bought.currency <> sold.currency
    inner join {{ source('raw', 'feed') }} as feed
        on bought.feed = feed.feed
    where
        bought.currency in (select market.currency from {{ ref('market') }} as market)
        and lower(sold.currency) in ({{ "'" ~ turnover_currencies() | join("', '") ~ "'" }})

)

select
    from_currency,
    to_currency,
    rate_date,
    rate
from crossed
where feed_rank = 1
