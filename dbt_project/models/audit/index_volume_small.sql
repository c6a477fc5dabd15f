select
    'index_close' as record_kind,
    reported.feed,
    reported.symbol,
    reported.trade_date,
    file.path as file,
    reported.line_number,
    'volume is ' || reported.volume || ' shares, which is too little for all shares of an index'
        as what
from {{ ref('stg_index_close') }} as reported
inner join {{ source('raw', 'file') }} as file on reported.file_id = file.file_id
where
    reported.trade_date >= {{ changed_from() }}
    and extract(year from reported.trade_date) >= {{ setting('since') }}
    and reported.volume > 0
    and reported.volume < {{ setting('shares') }}
order by reported.trade_date desc, reported.symbol asc
