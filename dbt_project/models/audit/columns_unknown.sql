select
    feed,
    path as file,
    1 as line_number,
    remark as what
from {{ source('raw', 'file') }}
where remark is not null
order by path
