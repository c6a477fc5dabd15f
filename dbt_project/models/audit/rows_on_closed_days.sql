with rejected as (
    select
        *,
        count(*) over (partition by reason) as rows_of_day,
        min(feed) over (partition by reason) <> max(feed) over (partition by reason) as is_shared
    from {{ ref('rejected_row') }}
    where reason_code = 'not_a_session'
)

select
    feed,
    file,
    line_number,
    split_part(raw_text, ',', 1) as symbol,
    try_cast(split_part(raw_text, ',', 2) as date) as trade_date,
    reason || case
        when is_shared
            then ', but several feeds have figures of it: the calendar may be wrong'
        else ''
    end as what
from rejected
order by is_shared desc, rows_of_day desc, file asc, line_number asc
