with reported as (

    select * from {{ ref('stg_connect_turnover') }}

),

best as (

    {{ from_best_feed('reported', ['channel', 'direction', 'trade_date']) | indent(4) }}

)

select
    trade_date,
    channel,
    direction,
    currency,
    turnover,
    buy,
    sell,
    cast(buy - sell as decimal(18, 2)) as net_buy,
    is_open,
    feed
from best
{% if is_incremental() %}
    where trade_date >= {{ rebuild_from() }}
{% endif %}
