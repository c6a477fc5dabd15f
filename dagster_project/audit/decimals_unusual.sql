-- 32-bit numbers written out: 9386.39 becomes 9386.3896484375. Some vendors always write so.
with stated as (
    select 'index_close' as record_kind, feed, symbol, trade_date, file_id, line_number,
        greatest(
            (open * 10000) % 1, (high * 10000) % 1, (low * 10000) % 1, (close * 10000) % 1
        ) > 0 as is_odd
    from staging.stg_index_close
    union all
    select 'security_close', feed, symbol, trade_date, file_id, line_number,
        greatest((open * 10000) % 1, (high * 10000) % 1, (low * 10000) % 1, (close * 10000) % 1) > 0
    from staging.stg_security_close
), usual as (
    select feed, avg(is_odd::int) as share from stated group by feed
)

select
    stated.record_kind,
    stated.feed,
    min(stated.symbol) as symbol,
    max(stated.trade_date) as trade_date,
    file.path as file,
    min(stated.line_number) as line_number,
    count(*) || ' row(s) have more than four decimals' as what
from stated
inner join usual using (feed)
inner join raw.file as file using (file_id)
where stated.is_odd and stated.trade_date >= $changed_from and usual.share < $share
group by stated.record_kind, stated.feed, file.path
order by count(*) desc
