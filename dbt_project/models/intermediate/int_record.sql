-- Every record of every file, whatever became of it. A view: millions of rows, nothing copied.
with record as (

    select
        'index_close' as record_kind,
        source.symbol,
        cast(null as string) as segment,
        definition.market,
        source.trade_date,
        source.feed,
        source.file_id,
        source.line_number,
        source.loaded_at,
        source.is_current,
        source.open,
        source.high,
        source.low,
        source.close,
        source.previous_close,
        source.turnover,
        cast(null as decimal(18, 6)) as rate
    from {{ source('raw', 'index_close') }} as source
    left join {{ ref('index_definition') }} as definition
        on source.symbol = definition.symbol

    union all

    select
        'security_close' as record_kind,
        symbol,
        cast(null as string) as segment,
        {{ market_of_security('symbol') }} as market,
        trade_date,
        feed,
        file_id,
        line_number,
        loaded_at,
        is_current,
        open,
        high,
        low,
        close,
        previous_close,
        turnover,
        cast(null as decimal(18, 6)) as rate
    from {{ source('raw', 'security_close') }}

    union all

    select
        'market_turnover' as record_kind,
        market as symbol,
        segment,
        market,
        trade_date,
        feed,
        file_id,
        line_number,
        loaded_at,
        is_current,
        cast(null as decimal(18, 6)) as open,
        cast(null as decimal(18, 6)) as high,
        cast(null as decimal(18, 6)) as low,
        cast(null as decimal(18, 6)) as close,
        cast(null as decimal(18, 6)) as previous_close,
        turnover,
        cast(null as decimal(18, 6)) as rate
    from {{ source('raw', 'market_turnover') }}

    union all

    select
        'exchange_rate' as record_kind,
        base_currency || currency as symbol,
        cast(null as string) as segment,
        cast(null as string) as market,
        trade_date,
        feed,
        file_id,
        line_number,
        loaded_at,
        is_current,
        cast(null as decimal(18, 6)) as open,
        cast(null as decimal(18, 6)) as high,
        cast(null as decimal(18, 6)) as low,
        cast(null as decimal(18, 6)) as close,
        cast(null as decimal(18, 6)) as previous_close,
        cast(null as decimal(18, 2)) as turnover,
        rate
    from {{ source('raw', 'exchange_rate') }}

    union all

    select
        'security_reference' as record_kind,
        symbol,
        cast(null as string) as segment,
        {{ market_of_security('symbol') }} as market,
        cast(null as date) as trade_date,
        feed,
        file_id,
        line_number,
        loaded_at,
        is_current,
        cast(null as decimal(18, 6)) as open,
        cast(null as decimal(18, 6)) as high,
        cast(null as decimal(18, 6)) as low,
        cast(null as decimal(18, 6)) as close,
        cast(null as decimal(18, 6)) as previous_close,
        cast(null as decimal(18, 2)) as turnover,
        cast(null as decimal(18, 6)) as rate
    from {{ source('raw', 'security_reference') }}

    union all

    select
        'broker_target' as record_kind,
        symbol,
        broker as segment,
        cast(null as string) as market,
        trade_date,
        feed,
        file_id,
        line_number,
        loaded_at,
        is_current,
        cast(null as decimal(18, 6)) as open,
        cast(null as decimal(18, 6)) as high,
        cast(null as decimal(18, 6)) as low,
        cast(null as decimal(18, 6)) as close,
        cast(null as decimal(18, 6)) as previous_close,
        cast(null as decimal(18, 2)) as turnover,
        target as rate
    from {{ source('raw', 'broker_target') }}

    union all

    select
        'market_event' as record_kind,
        basket as symbol,
        event as segment,
        cast(null as string) as market,
        trade_date,
        feed,
        file_id,
        line_number,
        loaded_at,
        is_current,
        cast(null as decimal(18, 6)) as open,
        cast(null as decimal(18, 6)) as high,
        cast(null as decimal(18, 6)) as low,
        cast(null as decimal(18, 6)) as close,
        cast(null as decimal(18, 6)) as previous_close,
        cast(null as decimal(18, 2)) as turnover,
        cast(null as decimal(18, 6)) as rate
    from {{ source('raw', 'market_event') }}

)

select
    record.record_kind,
    record.symbol,
    record.segment,
    record.market,
    record.trade_date,
    record.feed,
    feed.priority,
    record.file_id,
    record.line_number,
    record.loaded_at,
    record.is_current,
    record.open,
    record.high,
    record.low,
    record.close,
    record.previous_close,
    record.turnover,
    record.rate,
    case
        when record.trade_date is not null and asked.from_date is null then 'outside'
        when
            record.trade_date is not null
            and record.market is not null
            and calendar.market is null
            then 'not_a_session'
        when record.is_current then 'loaded'
        else 'held'
    end as fate,
    -- Whether it is the only record of its line, by what its feed is.
    {{ list_length('feed.record_kinds') }} = 1
    and record.record_kind <> 'exchange_rate' as is_alone
from record
inner join {{ source('raw', 'feed') }} as feed
    on record.feed = feed.feed
left join {{ source('raw', 'asked_dates') }} as asked
    on record.trade_date between asked.from_date and asked.to_date
left join {{ source('raw', 'session') }} as calendar
    on
        record.market = calendar.market
        and record.trade_date = calendar.trade_date
