-- The close of an index, of thousands of points to the hundredth, never comes twice. A share may
-- well close twice at one price; it repeats a session where open, high and low are the same too.
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
    reported.record_kind,
    reported.feed,
    reported.symbol,
    reported.trade_date,
    file.path as file,
    reported.line_number,
    case
        when reported.record_kind = 'index_close' then 'close is that of '
        else 'open, high, low and close are those of '
    end || reported.previous_trade_date as what
from {{ ref('reported_close') }} as reported
inner join {{ ref('reported_close') }} as before
    on
        reported.feed = before.feed
        and reported.symbol = before.symbol
        and reported.previous_trade_date = before.trade_date
        and reported.close = before.close
        and {{ is_changed('before', sessions_before=true) }}
inner join {{ source('raw', 'file') }} as file on reported.file_id = file.file_id
where
    {{ is_changed('reported') }}
    and (
        reported.record_kind = 'index_close'
        or (
            reported.open = before.open
            and reported.high = before.high
            and reported.low = before.low
            and reported.high > reported.low
            and coalesce(reported.volume, 1) > 0
        )
    )

union all

select
    'market_turnover' as record_kind,
    reported.feed,
    reported.market || ' ' || reported.segment as symbol,
    reported.trade_date,
    file.path as file,
    reported.line_number,
    'turnover and volume are those of ' || reported.previous_trade_date as what
from {{ ref('stg_market_turnover') }} as reported
inner join {{ ref('stg_market_turnover') }} as before
    on
        reported.feed = before.feed
        and reported.market = before.market
        and reported.segment = before.segment
        and reported.previous_trade_date = before.trade_date
        and reported.turnover = before.turnover
        and reported.volume is not distinct from before.volume
inner join {{ source('raw', 'file') }} as file on reported.file_id = file.file_id
where reported.trade_date >= {{ changed_from() }} and reported.turnover > 0

union all

-- One rate may well equal the one before; all rates of a line do not.
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
where
    rate.trade_date >= {{ changed_from() }}
    and rate.date_before >= {{ dbt.dateadd('day', -30, 'rate.trade_date') }}
group by rate.feed, rate.base_currency, rate.trade_date, file.path, rate.line_number
having count(*) > 1 and bool_and(rate.rate = rate.rate_before)
order by trade_date desc, file asc
