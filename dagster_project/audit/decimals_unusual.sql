-- 32-bit numbers written out: 9386.39 becomes 9386.3896484375. Some vendors always write so.
with judged as (
    select *, open <> round(open, 4) or high <> round(high, 4) or low <> round(low, 4)
        or close <> round(close, 4) as is_odd
    from stated_close
), usual as (
    select feed, avg(is_odd::int) as share from judged group by feed
)

select
    judged.record_kind,
    judged.feed,
    min(judged.symbol) as symbol,
    max(judged.trade_date) as trade_date,
    file.path as file,
    min(judged.line_number) as line_number,
    count(*) || ' row(s) have more than four decimals' as what
from judged
inner join usual using (feed)
inner join raw.file as file using (file_id)
where judged.is_odd and judged.trade_date >= $changed_from and usual.share < $share
group by judged.record_kind, judged.feed, file.path
order by count(*) desc
