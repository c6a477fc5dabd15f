with read as (
    select
        feed,
        path,
        min(path) over (partition by feed, sha256) as first_path
    from {{ source('raw', 'file') }}
    where sha256 is not null
)

select
    feed,
    path as file,
    'has the same content as ' || first_path as what
from read
where path <> first_path
order by path
