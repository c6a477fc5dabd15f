-- Of the symbols that a feed has at two sessions that follow each other, most stand still to the
-- last digit. What did not trade, or traded at one price only, may well.
with compared as (
    select
        stated.feed,
        stated.market,
        stated.trade_date,
        stated.previous_trade_date,
        stated.file_id,
        stated.line_number,
        (
            stated.close = before.close
            and stated.open = before.open
            and stated.high = before.high
            and stated.low = before.low
            and (stated.volume is not distinct from before.volume)
        ) as is_same
    from {{ ref('stg_security_close') }} as stated
    inner join {{ ref('stg_security_close') }} as before
        on
            stated.feed = before.feed
            and stated.symbol = before.symbol
            and stated.previous_trade_date = before.trade_date
    where
        stated.trade_date >= {{ changed_from() }}
        and coalesce(stated.volume, 1) > 0
        and stated.high > stated.low
)

select
    'security_close' as record_kind,
    compared.feed,
    compared.market as symbol,
    compared.trade_date,
    min(file.path) as file,
    min(compared.line_number) as line_number,
    count(*) filter (where compared.is_same) || ' of ' || count(*)
    || ' symbols have the prices and volume of ' || compared.previous_trade_date as what
from compared
inner join {{ source('raw', 'file') }} as file on compared.file_id = file.file_id
group by
    compared.feed, compared.market, compared.trade_date, compared.previous_trade_date
having
    count(*) >= {{ setting('symbols') }}
    and count(*) filter (where compared.is_same) >= {{ setting('share') }} * count(*)
order by compared.trade_date desc
