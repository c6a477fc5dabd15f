-- Nothing is lost: every line of every file is loaded, held, rejected, outside or framing, and each
-- rejected line of a file that was loaded is kept with its reason.
{{ config(meta={"dagster": {"ref": {"name": "file_load"}}}) }}

with rejected as (

    select file_id
    from {{ source('raw', 'rejected_row') }}
    where reason_code <> 'file_set_aside'

    union all

    select file_id
    from {{ ref('int_record') }}
    where fate = 'not_a_session'
    group by file_id, line_number, trade_date

),

-- A path may have two rows: its last good contents, and the present ones that are quarantined.
kept as (

    select
        file.path,
        file.status,
        count(*) as kept_rows
    from rejected
    inner join {{ source('raw', 'file') }} as file
        on rejected.file_id = file.file_id
    group by file.path, file.status

)

select
    file_load.file,
    file_load.lines_read,
    file_load.rows_refused,
    kept.kept_rows
from {{ ref('file_load') }} as file_load
left join kept
    on
        file_load.file = kept.path
        and file_load.status = kept.status
where
    file_load.lines_read
    <> file_load.rows_loaded
    + file_load.rows_held
    + file_load.rows_refused
    + file_load.rows_outside
    + file_load.lines_framing
    or (file_load.status = 'loaded' and file_load.rows_refused <> coalesce(kept.kept_rows, 0))
