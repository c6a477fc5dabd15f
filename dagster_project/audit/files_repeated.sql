select
    feed,
    path as file,
    'has the same content as ' || min(path) over (partition by feed, sha256) as what
from raw.file
where sha256 is not null
qualify path <> min(path) over (partition by feed, sha256)
order by path
