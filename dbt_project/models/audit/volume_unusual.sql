-- Compared with the largest and the smallest of the sessions before, because some securities trade
-- much the same every day, and others do not. Some vendors deliver half-days with a volume of 0 for
-- every security: that volume is taken as unknown.
with reported as (
    select * from {{ ref('reported_close') }}
    where volume is not null and {{ is_changed(sessions_before=true) }}
),

compared as (
    select
        *,
        max(volume) over earlier as most,
        min(volume) over earlier as least,
        count(*) over earlier as sessions
    from reported
    window earlier as (
        partition by record_kind, feed, symbol order by session_number
        rows between 20 preceding and 1 preceding
    )
)

select
    compared.record_kind,
    compared.feed,
    compared.symbol,
    compared.trade_date,
    file.path as file,
    compared.line_number,
    'volume is ' || compared.volume || ', after ' || compared.least || ' to ' || compared.most
    || ' in ' || compared.sessions || ' sessions' as what
from compared
inner join {{ source('raw', 'file') }} as file on compared.file_id = file.file_id
left join {{ ref('int_feed_session') }} as delivery
    on
        compared.record_kind = 'security_close'
        and compared.feed = delivery.feed
        and {{ market_of_security('compared.symbol') }} = delivery.market
        and compared.trade_date = delivery.trade_date
left join {{ ref('dim_session') }} as session
    on
        {{ market_of_security('compared.symbol') }} = session.market
        and compared.trade_date = session.trade_date
where
    {{ is_changed('compared') }}
    and compared.sessions >= 5
    and not (not coalesce(delivery.has_volumes, true) and coalesce(session.is_half_day, false))
    and (
        compared.volume > {{ setting('factor') }} * compared.most and compared.most > 0
        or compared.volume < compared.least / {{ setting('factor') }}
    )
order by compared.trade_date desc, compared.volume / greatest(compared.most, 1) desc
