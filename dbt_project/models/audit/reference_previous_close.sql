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
)

select
    stated.record_kind,
    stated.feed,
    stated.symbol,
    stated.trade_date,
    file.path as file,
    stated.line_number,
    'previous close ' || stated.previous_close || ', but the close of '
    || stated.previous_trade_date || ' was ' || before.close || case
        when stated.record_kind = 'index_close' then ': an index has no ex-dates'
        when stated.previous_close < before.close then ': probably an ex-date'
        else ': higher, which no dividend makes it'
    end as what
from reference as stated
inner join reference as before
    on
        stated.feed = before.feed
        and stated.symbol = before.symbol
        and stated.previous_trade_date = before.trade_date
inner join {{ source('raw', 'file') }} as file on stated.file_id = file.file_id
where
    stated.trade_date >= {{ changed_from() }}
    and stated.previous_close is not null
    and abs(stated.previous_close - before.close)
    > greatest({{ setting('tolerance') }} * before.close, 0.0051)
order by stated.record_kind asc, stated.trade_date desc, stated.symbol asc
