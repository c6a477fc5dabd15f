select
    'index_close' as record_kind,
    stated.feed,
    stated.symbol,
    stated.trade_date,
    file.path as file,
    stated.line_number,
    'stated change ' || stated.stated_change_pct || ' %, from the closes of '
    || stated.previous_trade_date || ' and this session '
    || round(100 * (stated.close / before.close - 1), 3) || ' %' as what
from {{ ref('stg_index_close') }} as stated
inner join {{ ref('stg_index_close') }} as before
    on stated.feed = before.feed
        and stated.symbol = before.symbol
        and stated.previous_trade_date = before.trade_date
inner join {{ source('raw', 'file') }} as file on stated.file_id = file.file_id
where
    stated.trade_date >= {{ changed_from() }}
    and abs(stated.stated_change_pct - 100 * (stated.close / before.close - 1))
    > {{ setting('points') }}
order by stated.trade_date desc
