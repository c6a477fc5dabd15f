with rate as (
    select
        feed,
        base_currency,
        trade_date,
        rate,
        file_id,
        line_number,
        lag(trade_date) over by_date as date_before,
        lag(rate) over by_date as rate_before
    from {{ source('raw', 'exchange_rate') }}
    where is_current and trade_date >= {{ dbt.dateadd('day', -30, changed_from()) }}
    window by_date as (partition by feed, base_currency, currency order by trade_date)
)

select
    stated.record_kind,
    stated.feed,
    stated.symbol,
    stated.trade_date,
    file.path as file,
    stated.line_number,
    'open, high, low, close and volume are those of ' || stated.previous_trade_date as what
from {{ ref('reported_close') }} as stated
inner join {{ ref('reported_close') }} as before
    on
        stated.feed = before.feed
        and stated.symbol = before.symbol
        and stated.previous_trade_date = before.trade_date
        and stated.close = before.close
        and stated.open = before.open
        and stated.high = before.high
        and stated.low = before.low
        and stated.volume is not distinct from before.volume
inner join {{ source('raw', 'file') }} as file on stated.file_id = file.file_id
where
    stated.trade_date >= {{ changed_from() }}
    and stated.high > stated.low
    and coalesce(stated.volume, 1) > 0

union all

select
    'market_turnover' as record_kind,
    stated.feed,
    stated.market || ' ' || stated.segment as symbol,
    stated.trade_date,
    file.path as file,
    stated.line_number,
    'turnover and volume are those of ' || stated.previous_trade_date as what
from {{ ref('stg_market_turnover') }} as stated
inner join {{ ref('stg_market_turnover') }} as before
    on
        stated.feed = before.feed
        and stated.market = before.market
        and stated.segment = before.segment
        and stated.previous_trade_date = before.trade_date
        and stated.turnover = before.turnover
        and stated.volume is not distinct from before.volume
inner join {{ source('raw', 'file') }} as file on stated.file_id = file.file_id
where stated.trade_date >= {{ changed_from() }} and stated.turnover > 0

union all

-- One rate may well be the one before, all of a line are not.
select
    'exchange_rate' as record_kind,
    rate.feed,
    rate.base_currency as symbol,
    rate.trade_date,
    file.path as file,
    rate.line_number,
    count(*) || ' rates are those of ' || max(rate.date_before) as what
from rate
inner join {{ source('raw', 'asked_dates') }} as asked
    on rate.trade_date between asked.from_date and asked.to_date
inner join {{ source('raw', 'file') }} as file on rate.file_id = file.file_id
where rate.trade_date >= {{ changed_from() }}
group by rate.feed, rate.base_currency, rate.trade_date, file.path, rate.line_number
having count(*) > 1 and bool_and(rate.rate = rate.rate_before)
order by trade_date desc, file asc
