select
    feed,
    path as file,
    try_cast(nullif(regexp_extract(reason, '^line (\d+): ', 1), '') as bigint) as line_number,
    'is set aside: ' || regexp_replace(reason, '^line \d+: ', '') as what
from {{ source('raw', 'file') }}
where status = 'set_aside'
order by path
