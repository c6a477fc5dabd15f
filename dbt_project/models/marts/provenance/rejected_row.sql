{{ config(materialized='table') }}

with file as (

    select * from {{ source('raw', 'file') }}

),

rejected_while_reading as (

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

-- The ingest does not know the calendar: these lines were read, and are rejected only here.
rejected_by_calendar as (

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

rejected as (

    select * from rejected_while_reading

    union all

    select * from rejected_by_calendar

)

select
    rejected.feed,
    file.path as file,
    file.sha256 as file_sha256,
    rejected.line_number,
    rejected.raw_text,
    rejected.reason_code,
    rejected.reason,
    rejected.loaded_at
from rejected
inner join file
    on rejected.file_id = file.file_id
