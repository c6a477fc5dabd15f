with feed as (

    select * from {{ source('raw', 'feed') }}

),

delivered as (

    select
        'index_close' as record_kind,
        feed,
        market,
        trade_date,
        symbol,
        false as is_security
    from {{ ref('stg_index_close') }}

    union all

    select
        'security_close' as record_kind,
        feed,
        market,
        trade_date,
        symbol,
        true as is_security
    from {{ ref('int_counted_security_close') }}

    union all

    select
        'market_turnover' as record_kind,
        feed,
        market,
        trade_date,
        'turnover ' || segment as symbol,
        false as is_security
    from {{ ref('stg_market_turnover') }}

    union all

    -- Its file comes on each session of Hong Kong, whichever side is closed.
    select
        'connect_turnover' as record_kind,
        feed,
        'XHKG' as market,
        trade_date,
        channel || ' ' || direction as symbol,
        false as is_security
    from {{ ref('stg_connect_turnover') }}

    -- From raw: in staging, values of an evening belong to the session after it.
    {% for record_kind in ['security_valuation', 'security_adjustment'] %}
        union all

        select
            '{{ record_kind }}' as record_kind,
            feed,
            {{ market_of_security('symbol') }} as market,
            trade_date,
            symbol,
            true as is_security
        from {{ source('raw', record_kind) }}
        where is_current
    {% endfor %}

)

select
    delivered.record_kind,
    delivered.feed,
    delivered.market,
    delivered.trade_date,
    delivered.symbol,
    delivered.is_security
from delivered
inner join feed
    on delivered.feed = feed.feed
where feed.due_by is not null
