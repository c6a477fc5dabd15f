-- An index's turnover ÷ volume is the average price of its shares, which moves slowly; likewise a
-- market's.
with stated as (
    select 'index_close' as record_kind, feed, symbol, trade_date, session_number,
        turnover::double / volume as average_price, file_id, line_number
    from staging.stg_index_close
    where volume > 0 and turnover > 0
    union all
    select 'market_turnover', feed, market || ' ' || segment, trade_date, session_number,
        turnover::double / volume, file_id, line_number
    from staging.stg_market_turnover
    where volume > 0 and turnover > 0
), compared as (
    select *, median(average_price) over (
        partition by record_kind, feed, symbol order by session_number
        rows between 20 preceding and 1 preceding
    ) as usual
    from stated
    where trade_date >= $changed_from - interval 60 day
)

select
    compared.record_kind,
    compared.feed,
    compared.symbol,
    compared.trade_date,
    file.path as file,
    compared.line_number,
    'turnover ÷ volume is ' || round(compared.average_price, 4) || ', after a median of '
    || round(compared.usual, 4) || ' in the sessions before' as what
from compared
inner join raw.file as file using (file_id)
where
    compared.trade_date >= $changed_from
    and (
        compared.average_price > $factor * compared.usual
        or compared.average_price < compared.usual / $factor
    )
order by abs(ln(compared.average_price / compared.usual)) desc
