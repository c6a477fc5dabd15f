-- Nothing is lost: every line of every file is loaded, held, rejected, outside or framing, and each
-- rejected line of a file that was loaded is kept with its reason.
{{ config(meta={"dagster": {"ref": {"name": "file_load"}}}) }}

with kept as (

    select
        file,
        file_sha256,
        count(*) as kept_rows
    from {{ ref('rejected_row') }}
    where reason_code <> 'file_set_aside'
    group by file, file_sha256

)

select
    file_load.file,
    file_load.lines_read,
    file_load.rows_refused,
    kept.kept_rows
from {{ ref('file_load') }} as file_load
left join kept
    on
        file_load.file = kept.file
        and file_load.file_sha256 = kept.file_sha256
where
    file_load.lines_read
    <> file_load.rows_loaded
    + file_load.rows_held
    + file_load.rows_refused
    + file_load.rows_outside
    + file_load.lines_framing
    or (file_load.status = 'loaded' and file_load.rows_refused <> coalesce(kept.kept_rows, 0))
