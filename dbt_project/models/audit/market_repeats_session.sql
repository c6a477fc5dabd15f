-- Many symbols that a feed has at two consecutive sessions have the same prices to the last digit:
-- of one in 3,000 this is chance. A symbol that did not trade, or traded at one price only, may
-- well stay the same: not counted.
with compared as (
    select
        reported.feed,
        reported.market,
        reported.trade_date,
        reported.previous_trade_date,
        reported.file_id,
        reported.line_number,
        (
            reported.close = before.close
            and reported.open = before.open
            and reported.high = before.high
            and reported.low = before.low
        ) as is_same
    from {{ ref('stg_security_close') }} as reported
    inner join {{ ref('stg_security_close') }} as before
        on
            reported.feed = before.feed
            and reported.symbol = before.symbol
            and reported.previous_trade_date = before.trade_date
    where
        reported.trade_date >= {{ changed_from() }}
        and coalesce(reported.volume, 1) > 0
        and reported.high > reported.low
)

select
    'security_close' as record_kind,
    compared.feed,
    compared.market as symbol,
    compared.trade_date,
    min(file.path) as file,
    min(compared.line_number) as line_number,
    count(*) filter (where compared.is_same) || ' of ' || count(*)
    || ' symbols have the prices of ' || compared.previous_trade_date as what
from compared
inner join {{ source('raw', 'file') }} as file on compared.file_id = file.file_id
group by
    compared.feed, compared.market, compared.trade_date, compared.previous_trade_date
having
    count(*) >= {{ setting('symbols') }}
    and count(*) filter (where compared.is_same) >= {{ setting('share') }} * count(*)
order by compared.trade_date desc
