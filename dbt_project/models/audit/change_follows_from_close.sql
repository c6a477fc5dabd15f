select
    'index_close' as record_kind,
    reported.feed,
    reported.symbol,
    reported.trade_date,
    file.path as file,
    reported.line_number,
    'reported change ' || reported.stated_change_pct || ' %, from the closes of '
    || reported.previous_trade_date || ' and this session '
    || round(100 * (reported.close / before.close - 1), 3) || ' %' as what
from {{ ref('stg_index_close') }} as reported
inner join {{ ref('stg_index_close') }} as before
    on reported.feed = before.feed
        and reported.symbol = before.symbol
        and reported.previous_trade_date = before.trade_date
inner join {{ source('raw', 'file') }} as file on reported.file_id = file.file_id
where
    reported.trade_date >= {{ changed_from() }}
    and abs(reported.stated_change_pct - 100 * (reported.close / before.close - 1))
    > {{ setting('points') }}
order by reported.trade_date desc
