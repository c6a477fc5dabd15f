with security_close as (

    select * from {{ ref('stg_security_close') }}

),

feed as (

    select * from {{ source('raw', 'feed') }}

),

referenced as (

    select
        security_close.*,
        feed.priority,
        coalesce(
            security_close.stated_previous_close,
            security_close.close - security_close.stated_change
        ) as reference_close
    from security_close
    inner join feed
        on security_close.feed = feed.feed

)

select
    feed,
    priority,
    symbol,
    market,
    trade_date,
    previous_trade_date as session_before,
    close,
    case when reference_close > 0 then reference_close end as reference_close
from referenced
