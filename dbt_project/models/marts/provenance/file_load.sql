{{ config(materialized='table') }}

with file as (

    select * from {{ source('raw', 'file') }}

),

-- A line may have several records (a close and a turnover, one rate per currency): the best fate of
-- its records counts. A JSON file may hold all its days in one line, so each date of a line counts
-- as a line. Most lines have one record, and need no grouping.
line as (

    select
        file_id,
        line_number,
        case
            when bool_or(fate = 'loaded') then 'loaded'
            when bool_or(fate = 'held') then 'held'
            when bool_or(fate = 'not_a_session') then 'not_a_session'
            else 'outside'
        end as fate
    from {{ ref('int_record') }}
    where not is_alone
    group by file_id, line_number, trade_date

),

counted as (

    select
        file_id,
        fate,
        count(*) as line_count
    from {{ ref('int_record') }}
    where is_alone
    group by file_id, fate

    union all

    select
        file_id,
        fate,
        count(*) as line_count
    from line
    group by file_id, fate

),

fates as (

    select
        file_id,
        sum(case when fate = 'loaded' then line_count else 0 end) as loaded,
        sum(case when fate = 'held' then line_count else 0 end) as held,
        sum(case when fate = 'not_a_session' then line_count else 0 end) as not_a_session,
        sum(case when fate = 'outside' then line_count else 0 end) as outside
    from counted
    group by file_id

)

select
    file.feed,
    file.path as file,
    file.sha256 as file_sha256,
    file.size as size_bytes,
    file.status,
    file.reason,
    file.lines_read,
    cast(coalesce(fates.loaded, 0) as bigint) as rows_loaded,
    cast(coalesce(fates.held, 0) + coalesce(file.rows_duplicate, 0) as bigint) as rows_held,
    cast(coalesce(fates.not_a_session, 0) + coalesce(file.rows_refused, 0) as bigint)
        as rows_refused,
    cast(coalesce(fates.outside, 0) as bigint) as rows_outside,
    file.lines_framing,
    file.first_trade_date,
    file.last_trade_date,
    file.loaded_at
from file
left join fates
    on file.file_id = fates.file_id
