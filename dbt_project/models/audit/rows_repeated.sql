select
    feed,
    path as file,
    rows_duplicate || ' line(s) repeat others of the file' as what
from {{ source('raw', 'file') }}
where rows_duplicate > 0
order by rows_duplicate desc, path asc
