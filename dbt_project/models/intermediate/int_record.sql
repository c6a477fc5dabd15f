{#
Every record kind has the same columns here; what a kind does not have is null. `rate` is the figure
of a record that is neither a close nor a turnover.
#}
{% set types = {
    "symbol": "string", "segment": "string", "market": "string", "trade_date": "date",
    "open": "decimal(18, 6)", "high": "decimal(18, 6)", "low": "decimal(18, 6)",
    "close": "decimal(18, 6)", "previous_close": "decimal(18, 6)",
    "volume": "bigint", "turnover": "decimal(18, 2)", "rate": "decimal(18, 6)",
} %}

-- A view: millions of rows, nothing copied.
with record as (
    {% for name, kind in record_kinds().items() %}
        {% set columns = {"symbol": "source." ~ kind["series"] | replace("|| ", "|| source.")} %}
        {% for column in kind["key"] + kind["values"] if column in types and column != "symbol" %}
            {% do columns.update({column: "source." ~ column}) %}
        {% endfor %}
        {% if kind["part"] %}
            {% do columns.update({"segment": "source." ~ kind["part"]}) %}
        {% endif %}
        {% if kind["figure"] and kind["figure"] not in types %}
            {% do columns.update({"rate": "source." ~ kind["figure"]}) %}
        {% endif %}
        {% if kind["sessions"] == "index" %}
            {% do columns.update({"market": "definition.market"}) %}
        {% elif kind["sessions"] == "security" %}
            {% do columns.update({"market": market_of_security("source.symbol")}) %}
        {% endif %}
        select
            '{{ name }}' as record_kind,
            {{ typed_columns(types, columns) | indent(12) }},
            source.feed,
            source.file_id,
            source.line_number,
            source.loaded_at,
            source.is_current,
            {{ kind["is_looked_back_on"] | lower }} as is_looked_back_on
        from {{ source('raw', name) }} as source
        {% if kind["sessions"] == "index" %}
            left join {{ ref('index_definition') }} as definition
                on source.symbol = definition.symbol
        {% endif %}
        {% if not loop.last %}
            union all
        {% endif %}
    {% endfor %}
),

clock as (

    select max(to_date) as trade_date from {{ source('raw', 'asked_dates') }}

)

select
    record.record_kind,
    record.symbol,
    record.segment,
    record.market,
    record.trade_date,
    record.feed,
    feed.priority,
    feed.price_basis,
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
        when record.trade_date is not null and covered.from_date is null then 'outside'
        when
            record.trade_date is not null
            and record.market is not null
            and calendar.market is null
            then 'not_a_session'
        when record.is_current then 'loaded'
        else 'held'
    end as fate,
    quarantined.feed is not null as is_quarantined,
    -- Whether figures of later, covered dates look back on the record, which is not covered itself.
    covered.from_date is null
    and record.is_looked_back_on
    and record.trade_date <= clock.trade_date
    and (record.market is null or calendar.market is not null) as is_looked_back_on,
    -- Whether the feed is of a kind that has one record per line.
    {{ list_length('feed.record_kinds') }} = 1
    and record.record_kind <> 'exchange_rate' as is_alone
from record
inner join {{ source('raw', 'feed') }} as feed
    on record.feed = feed.feed
cross join clock
left join {{ source('raw', 'asked_dates') }} as covered
    on record.trade_date between covered.from_date and covered.to_date
left join {{ source('raw', 'session') }} as calendar
    on
        record.market = calendar.market
        and record.trade_date = calendar.trade_date
left join {{ ref('int_feed_session') }} as quarantined
    on
        record.record_kind = 'security_close'
        and quarantined.is_quarantined
        and record.feed = quarantined.feed
        and record.market = quarantined.market
        and record.trade_date = quarantined.trade_date
