select
    'index_close' as record_kind,
    feed,
    symbol,
    trade_date,
    previous_trade_date,
    session_number,
    open,
    high,
    low,
    close,
    stated_previous_close,
    stated_change,
    volume,
    turnover,
    cast(null as {{ dbt.type_string() }}) as stated_status,
    file_id,
    line_number
from {{ ref('stg_index_close') }}

union all

select
    'security_close' as record_kind,
    feed,
    symbol,
    trade_date,
    previous_trade_date,
    session_number,
    open,
    high,
    low,
    close,
    stated_previous_close,
    stated_change,
    volume,
    turnover,
    stated_status,
    file_id,
    line_number
from {{ ref('int_counted_security_close') }}
