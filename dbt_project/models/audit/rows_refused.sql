-- One row per file and reason: thousands of lines of a file may be rejected for the same reason.
select
    file.feed,
    file.path as file,
    min(rejected.line_number) as line_number,
    case
        when count(*) = 1 then 'is rejected: '
        else 'is rejected, and ' || count(*) - 1 || ' more: '
    end || min_by(rejected.reason, rejected.line_number) as what
from {{ source('raw', 'rejected_row') }} as rejected
inner join {{ source('raw', 'file') }} as file on rejected.file_id = file.file_id
where rejected.reason_code not in ('market_not_covered', 'file_set_aside')
group by file.feed, file.path, rejected.reason_code
order by count(*) desc, file.path
