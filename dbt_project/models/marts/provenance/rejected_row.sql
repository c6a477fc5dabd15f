{{ config(materialized='table') }}

with refused_by_reader as (

    select
        feed,
        file_id,
        line_number,
        raw_text,
        reason_code,
        reason,
        loaded_at
    from {{ source('raw', 'rejected_row') }}

),

-- What is a session is known only here, so these lines were read and are refused after all.
refused_by_calendar as (

    select
        feed,
        file_id,
        line_number,
        min(
            symbol || ',' || cast(trade_date as string)
            || coalesce(',close ' || cast(close as string), '')
            || coalesce(',turnover ' || cast(turnover as string), '')
        ) as raw_text,
        'not_a_session' as reason_code,
        cast(trade_date as string) || ' is no session of ' || min(market) as reason,
        min(loaded_at) as loaded_at
    from {{ ref('int_record') }}
    where fate = 'not_a_session'
    group by feed, file_id, line_number, trade_date

),

refused as (

    select * from refused_by_reader

    union all

    select * from refused_by_calendar

)

select
    refused.feed,
    file.path as file,
    file.sha256 as file_sha256,
    refused.line_number,
    refused.raw_text,
    refused.reason_code,
    refused.reason,
    refused.loaded_at
from refused
inner join {{ source('raw', 'file') }} as file
    on refused.file_id = file.file_id
