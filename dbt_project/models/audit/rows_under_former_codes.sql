select
    'security_close' as record_kind,
    reported.feed,
    reported.symbol,
    min(reported.trade_date) as trade_date,
    min_by(file.path, reported.trade_date) as file,
    min_by(reported.line_number, reported.trade_date) as line_number,
    count(*) || ' row(s) on or after ' || code_change.changed || ', from which the code is '
    || code_change.new_symbol as what
from {{ ref('stg_security_close') }} as reported
inner join {{ ref('code_change') }} as code_change
    on
        reported.symbol = code_change.old_symbol
        and reported.trade_date >= code_change.changed
inner join {{ source('raw', 'file') }} as file
    on reported.file_id = file.file_id
group by reported.feed, reported.symbol, code_change.changed, code_change.new_symbol
order by reported.symbol, reported.feed
