-- A row a file and a reason: a file may have thousands of lines with one trouble.
select
    file.feed,
    file.path as file,
    min(refused.line_number) as line_number,
    case
        when count(*) = 1 then 'is refused: '
        else 'is refused, and ' || count(*) - 1 || ' more: '
    end || min_by(refused.reason, refused.line_number) as what
from {{ source('raw', 'rejected_row') }} as refused
inner join {{ source('raw', 'file') }} as file on refused.file_id = file.file_id
where refused.reason_code not in ('market_not_covered', 'file_set_aside')
group by file.feed, file.path, refused.reason_code
order by count(*) desc, file.path
