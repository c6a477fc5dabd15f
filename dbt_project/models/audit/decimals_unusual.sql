-- 32-bit numbers written out: 9386.39 becomes 9386.3896484375. Feeds that always
-- have such numbers are left out.
with checked as (
    select
        record_kind,
        feed,
        symbol,
        trade_date,
        file_id,
        line_number,
        open <> round(open, 4)
        or high <> round(high, 4)
        or low <> round(low, 4)
        or close <> round(close, 4) as is_odd
    from {{ ref('reported_close') }}
    where trade_date >= {{ sessions_before_change() }}
),

usual as (
    select
        feed,
        avg(cast(is_odd as int)) as share
    from checked
    group by feed
)

select
    checked.record_kind,
    checked.feed,
    min(checked.symbol) as symbol,
    max(checked.trade_date) as trade_date,
    file.path as file,
    min(checked.line_number) as line_number,
    count(*) || ' row(s) have more than four decimals' as what
from checked
inner join usual on checked.feed = usual.feed
inner join {{ source('raw', 'file') }} as file on checked.file_id = file.file_id
where
    checked.is_odd
    and checked.trade_date >= {{ changed_from() }}
    and usual.share < {{ setting('share') }}
group by checked.record_kind, checked.feed, file.path
order by count(*) desc
