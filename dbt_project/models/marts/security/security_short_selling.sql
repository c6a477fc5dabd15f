{{ config(incremental_strategy='rebuild_securities') }}

with reported as (

    select * from {{ ref('stg_short_selling') }}
    {% if is_incremental() %}
        where {{ is_rebuilt() }}
    {% endif %}

),

best as (

    {{ from_best_feed('reported', ['symbol', 'trade_date']) | indent(4) }}

)

select
    trade_date,
    symbol,
    currency,
    volume as short_volume,
    turnover as short_turnover,
    {{ pct_of('turnover', 'turnover_of_security') }} as short_turnover_share_pct,
    feed
from best
