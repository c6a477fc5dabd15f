with security_close as (

    select * from {{ ref('int_counted_security_close') }}

),

-- Whatever their number of rows, these are few.
of_several_feeds as (

    select symbol
    from {{ source('raw', 'security_close') }}
    where is_current
    group by symbol
    having min(feed) <> max(feed)

),

first_reference as (

    select * from {{ ref('stg_first_reference_close') }}

),

feed as (

    select * from {{ source('raw', 'feed') }}

),

described as (

    select
        security_close.*,
        feed.priority,
        feed.price_basis,
        coalesce(
            security_close.stated_previous_close,
            security_close.close - security_close.stated_change
        ) as stated_reference_close,
        -- Of a price as dealt, the average over the session lies between low and high.
        coalesce(
            feed.price_basis = 'adjusted_difference'
            and (
                security_close.low <= 0
                or security_close.turnover < 0.997 * security_close.volume * security_close.low
                or security_close.turnover > 1.003 * security_close.volume * security_close.high
            ),
            false
        ) as is_shifted
    from security_close
    inner join feed
        on security_close.feed = feed.feed

)

select
    described.feed,
    described.priority,
    described.price_basis,
    described.symbol,
    described.market,
    described.trade_date,
    described.previous_trade_date as session_before,
    described.session_number,
    described.close,
    case
        when described.stated_reference_close > 0 then described.stated_reference_close
        when described.stated_reference_close is null then first_reference.close
    end as reference_close,
    described.stated_reference_close is not null as is_reference_reported,
    described.is_shifted,
    of_several_feeds.symbol is null as is_of_one_feed
from described
left join of_several_feeds
    on described.symbol = of_several_feeds.symbol
left join first_reference
    on
        described.feed = first_reference.feed
        and described.symbol = first_reference.symbol
        and described.trade_date = first_reference.trade_date
        and described.stated_reference_close is null
