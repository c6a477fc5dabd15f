{% set prices = ["open", "high", "low", "close", "previous_close"] %}

-- Only what is reported more than once is compared: symbols that several feeds report, and records
-- that several files of one feed report.
with reported_again as (

    select
        record_kind,
        symbol,
        segment
    from {{ ref('int_record') }}
    where
        record_kind in ('index_close', 'security_close', 'market_turnover')
        {% if is_incremental() %}
            and trade_date >= {{ rebuild_from() }}
        {% endif %}
        and fate in ('loaded', 'held')
        and not is_quarantined
    group by record_kind, symbol, segment
    having min(feed) <> max(feed) or not bool_and(is_current)

),

-- Their turnover is the amount of an index. It differs from an exchange's own total by its meaning.
feed_of_indices as (

    select feed from {{ source('raw', 'feed') }}
    where {{ list_has('record_kinds', "'index_close'") }}

),

ranked as (

    select
        record.*,
        feed_of_indices.feed is not null as is_index_amount,
        row_number() over (
            partition by
                record.record_kind,
                record.symbol,
                record.segment,
                record.trade_date,
                feed_of_indices.feed is not null
            order by
                case when record.is_current then 0 else 1 end,
                record.priority,
                record.feed,
                record.file_id,
                record.line_number
        ) as choice
    from {{ ref('int_record') }} as record
    inner join reported_again
        on
            record.record_kind = reported_again.record_kind
            and record.symbol = reported_again.symbol
            and coalesce(record.segment, '') = coalesce(reported_again.segment, '')
    left join feed_of_indices
        on
            record.feed = feed_of_indices.feed
            and record.record_kind = 'market_turnover'
    where
        record.trade_date is not null
        {% if is_incremental() %}
            and record.trade_date >= {{ rebuild_from() }}
        {% endif %}
        and record.fate in ('loaded', 'held')
        and not record.is_quarantined

),

-- The record that counts beside one that does not: of another feed, or of an older file of its own.
pair as (

    select
        kept.trade_date,
        kept.record_kind,
        kept.symbol,
        kept.segment,
        {% for measure in prices + ["volume", "turnover"] %}
            cast(kept.{{ measure }} as double) as {{ measure }},
            cast(other.{{ measure }} as double) as other_{{ measure }},
        {% endfor %}
        kept.feed,
        kept.file_id,
        kept.line_number,
        other.feed as other_feed,
        other.file_id as other_file_id,
        other.line_number as other_line_number,
        kept.price_basis = other.price_basis as is_same_price_basis
    from ranked as kept
    inner join ranked as other
        on
            kept.record_kind = other.record_kind
            and kept.symbol = other.symbol
            and coalesce(kept.segment, '') = coalesce(other.segment, '')
            and kept.trade_date = other.trade_date
            and kept.is_index_amount = other.is_index_amount
    where
        (kept.choice = 1 and other.is_current and kept.feed <> other.feed)
        or (kept.is_current and not other.is_current and kept.feed = other.feed)

),

rounded as (

    select
        {% for price in prices %}
            -- Half a unit of the last decimal of the coarser of the two.
            greatest(
                1e-4 * abs({{ price }}),
                case
                    when
                        round({{ price }}, 2) = {{ price }}
                        or round(other_{{ price }}, 2) = other_{{ price }}
                        then 0.005
                    when
                        round({{ price }}, 3) = {{ price }}
                        or round(other_{{ price }}, 3) = other_{{ price }}
                        then 0.0005
                    else 0
                end
            ) as {{ price }}_rounding,
        {% endfor %}
        *
    from pair

),

-- A price as dealt and one that a vendor adjusted differ by their meaning, except since the last
-- adjustment: where two prices of a session agree, all of them should.
comparable as (

    select
        *,
        case when is_same_price_basis then 1 else 2 end as roundings,
        is_same_price_basis
        or (
            0
            {% for price in ["open", "high", "low", "close"] %}
                + case
                    when abs({{ price }} - other_{{ price }}) <= {{ price }}_rounding * (1 + 1e-9)
                        then 1
                    else 0
                end
            {% endfor %}
        ) >= 2 as has_comparable_prices
    from rounded

),

figure as (
    {% for measure in prices + ["volume", "turnover"] %}
        select
            trade_date,
            record_kind,
            symbol,
            segment,
            '{{ measure }}' as measure,
            feed,
            {{ measure }} as stated,
            file_id,
            line_number,
            other_feed,
            other_{{ measure }} as other_stated,
            other_file_id,
            other_line_number,
            {% if measure in prices %}
                roundings * {{ measure }}_rounding as tolerance
            {% else %}
                1e-3 * abs({{ measure }}) as tolerance
            {% endif %}
        from comparable
        {% if measure in prices %}
            where has_comparable_prices
        {% endif %}
        {% if not loop.last %}union all{% endif %}
    {% endfor %}
)

select
    figure.trade_date,
    figure.record_kind,
    figure.symbol,
    figure.segment,
    figure.measure,
    figure.feed,
    figure.stated,
    figure.other_feed,
    figure.other_stated,
    round(figure.other_stated - figure.stated, 6) as difference,
    {{ pct_change('figure.other_stated', 'figure.stated') }} as difference_pct,
    file.path as file,
    figure.line_number,
    other_file.path as other_file,
    figure.other_line_number
from figure
inner join {{ source('raw', 'file') }} as file
    on figure.file_id = file.file_id
inner join {{ source('raw', 'file') }} as other_file
    on figure.other_file_id = other_file.file_id
-- Between two files of one feed rounding explains nothing; 1e-9 allows for floating point.
where
    abs(figure.other_stated - figure.stated)
    > case when figure.feed = figure.other_feed then 0 else figure.tolerance * (1 + 1e-9) end
