-- Most figures of a symbol in the last release have changed: another unit, another symbol's file,
-- or a vendor that starts its series again. A correction changes a few rows.
with rewritten as (
    select
        restated.record_kind,
        restated.feed,
        restated.about,
        restated.trade_date,
        restated.figure,
        restated.figure_now,
        restated.file_id_now as file_id,
        restated.line_number_now as line_number
    from {{ ref('restated_record') }} as restated
    inner join {{ source('raw', 'asked_dates') }} as asked
        on restated.trade_date between asked.from_date and asked.to_date
    where
        restated.record_kind in (
            'index_close', 'security_close', 'market_turnover', 'exchange_rate'
        )
        and abs(cast(restated.figure_now as double) - restated.figure)
        > abs(cast(restated.figure as double)) / 100 * case restated.record_kind
            when 'market_turnover' then {{ setting('turnover_pct') }}
            else {{ setting('pct') }}
        end
),

record as (
    select
        feed,
        trade_date,
        symbol as about
    from {{ source('raw', 'index_close') }}
    where is_current
    union all
    select
        feed,
        trade_date,
        symbol as about
    from {{ source('raw', 'security_close') }}
    where is_current
    union all
    select
        feed,
        trade_date,
        market as about
    from {{ source('raw', 'market_turnover') }}
    where is_current
    union all
    select
        feed,
        trade_date,
        base_currency || currency as about
    from {{ source('raw', 'exchange_rate') }}
    where is_current
),

held as (
    select
        record.feed,
        record.about,
        count(*) as records
    from record
    inner join {{ source('raw', 'asked_dates') }} as asked
        on record.trade_date between asked.from_date and asked.to_date
    where record.about in (select rewritten.about from rewritten)
    group by record.feed, record.about
)

select
    rewritten.record_kind,
    rewritten.feed,
    rewritten.about as symbol,
    min(rewritten.trade_date) as trade_date,
    file.path as file,
    min_by(rewritten.line_number, rewritten.trade_date) as line_number,
    count(*) || ' of ' || max(held.records) || ' records of ' || rewritten.about
    || ' have another figure now, e.g. ' || max_by(rewritten.figure_now, rewritten.trade_date)
    || ' after ' || max_by(rewritten.figure, rewritten.trade_date) || ' on '
    || max(rewritten.trade_date) as what
from rewritten
inner join held
    on
        rewritten.feed = held.feed
        and rewritten.about = held.about
inner join {{ source('raw', 'file') }} as file on rewritten.file_id = file.file_id
group by rewritten.record_kind, rewritten.feed, rewritten.about, file.path
having
    count(*) >= {{ setting('rows') }}
    and count(*) > {{ setting('share') }} * max(held.records)
order by count(*) desc
