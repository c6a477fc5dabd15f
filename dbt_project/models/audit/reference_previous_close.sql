with reference as (
    select
        record_kind,
        feed,
        symbol,
        trade_date,
        previous_trade_date,
        close,
        coalesce(stated_previous_close, close - stated_change) as previous_close,
        file_id,
        line_number
    from {{ ref('reported_close') }}
    where {{ is_changed(sessions_before=true) }}
)

select
    reported.record_kind,
    reported.feed,
    reported.symbol,
    reported.trade_date,
    file.path as file,
    reported.line_number,
    'previous close ' || reported.previous_close || ', but the close of '
    || reported.previous_trade_date || ' was ' || before.close || case
        when reported.record_kind = 'index_close' then ': an index has no ex-dates'
        when reported.previous_close < before.close then ': probably an ex-date'
        else ': higher, which no dividend makes it'
    end as what
from reference as reported
inner join reference as before
    on
        reported.feed = before.feed
        and reported.symbol = before.symbol
        and reported.previous_trade_date = before.trade_date
inner join {{ source('raw', 'file') }} as file on reported.file_id = file.file_id
where
    {{ is_changed('reported') }}
    and reported.previous_close is not null
    and abs(reported.previous_close - before.close)
    > greatest({{ setting('tolerance') }} * before.close, 0.0051)
order by reported.record_kind asc, reported.trade_date desc, reported.symbol asc
