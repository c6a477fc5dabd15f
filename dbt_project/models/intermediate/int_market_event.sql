with reported as (

    {{ from_best_feed(ref('stg_market_event'), ['event_id', 'event_date', 'basket']) | indent(4) }}

),

basket as (

    select * from {{ ref('basket') }}

)

select
    reported.event_id,
    reported.event_date,
    reported.basket,
    basket.region,
    {{ benchmark_of_region('basket.region') | indent(4) }} as benchmark,
    reported.what,
    reported.feed
from reported
left join basket
    on reported.basket = basket.basket
