-- The reader compares turnover ÷ volume with high and low, where a file has both. This is for the
-- others.
with priced as (
    select
        reported.feed,
        reported.symbol,
        reported.trade_date,
        reported.close,
        reported.file_id,
        reported.line_number,
        cast(reported.turnover as double) / reported.volume as average_price
    from {{ ref('reported_close') }} as reported
    inner join {{ source('raw', 'feed') }} as feed on reported.feed = feed.feed
    where
        reported.record_kind = 'security_close'
        and {{ is_changed('reported') }}
        and feed.price_basis = 'traded'
        and (reported.high is null or reported.low is null)
        and reported.volume > 0
        and reported.turnover > 0
)

select
    'security_close' as record_kind,
    priced.feed,
    priced.symbol,
    priced.trade_date,
    file.path as file,
    priced.line_number,
    'turnover ÷ volume is ' || round(priced.average_price, 4) || ' at a close of ' || priced.close
    || ': one of the two is in another unit than declared' as what
from priced
inner join {{ source('raw', 'file') }} as file on priced.file_id = file.file_id
where
    priced.average_price > {{ setting('factor') }} * priced.close
    or priced.average_price < priced.close / {{ setting('factor') }}
order by priced.trade_date desc, abs(ln(priced.average_price / priced.close)) desc
