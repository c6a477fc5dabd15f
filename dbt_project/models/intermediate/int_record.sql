{#
`types` are the columns of a record of any kind, `kinds` where each kind takes them from; what a
kind does not take is null.
#}
{% set types = {
    "symbol": "string", "segment": "string", "market": "string", "trade_date": "date",
    "open": "decimal(18, 6)", "high": "decimal(18, 6)", "low": "decimal(18, 6)",
    "close": "decimal(18, 6)", "previous_close": "decimal(18, 6)",
    "volume": "bigint", "turnover": "decimal(18, 2)", "rate": "decimal(18, 6)",
} %}
{% set of_security = {"symbol": "source.symbol", "market": market_of_security("source.symbol")} %}
{% set of_close = {
    "trade_date": "source.trade_date",
    "open": "source.open", "high": "source.high", "low": "source.low", "close": "source.close",
    "previous_close": "source.previous_close",
    "volume": "source.volume", "turnover": "source.turnover",
} %}
{% set kinds = {
    "index_close": dict(of_close, symbol="source.symbol", market="definition.market"),
    "security_close": dict(of_close, **of_security),
    "market_turnover": {
        "symbol": "source.market", "segment": "source.segment", "market": "source.market",
        "trade_date": "source.trade_date",
        "volume": "source.volume", "turnover": "source.turnover",
    },
    "exchange_rate": {
        "symbol": "source.base_currency || source.currency",
        "trade_date": "source.trade_date", "rate": "source.rate",
    },
    "security_reference": of_security,
    "broker_target": {
        "symbol": "source.symbol", "segment": "source.broker",
        "trade_date": "source.trade_date", "rate": "source.target",
    },
    "market_event": {
        "symbol": "source.basket", "segment": "source.event", "trade_date": "source.trade_date",
    },
} %}

-- A view: millions of rows, nothing copied.
with record as (
    {% for kind, columns in kinds.items() %}
        select
            '{{ kind }}' as record_kind,
            {{ typed_columns(types, columns) | indent(12) }},
            source.feed,
            source.file_id,
            source.line_number,
            source.loaded_at,
            source.is_current
        from {{ source('raw', kind) }} as source
        {% if kind == "index_close" %}
            left join {{ ref('index_definition') }} as definition
                on source.symbol = definition.symbol
        {% endif %}
        {% if not loop.last %}
            union all
        {% endif %}
    {% endfor %}
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
    record.volume,
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
