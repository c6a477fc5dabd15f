-- A figure that the session before had is null now, or zero where zero is no real figure.
with reported as (
    select
        record_kind,
        feed,
        symbol,
        trade_date,
        previous_trade_date,
        open,
        high,
        low,
        case when record_kind = 'index_close' then nullif(volume, 0) else volume end as volume,
        case when record_kind = 'index_close' then nullif(turnover, 0) else turnover end
            as turnover,
        file_id,
        line_number
    from {{ ref('reported_close') }}
    -- A suspended share has no figures of the day.
    where
        coalesce(stated_status, 'traded') <> 'suspended'
        and {{ is_changed(sessions_before=true) }}
    union all
    select
        'market_turnover' as record_kind,
        feed,
        market || ' ' || segment as symbol,
        trade_date,
        previous_trade_date,
        null as open,
        null as high,
        null as low,
        nullif(volume, 0) as volume,
        nullif(turnover, 0) as turnover,
        file_id,
        line_number
    from {{ ref('stg_market_turnover') }}
),

rate as (
    select
        feed,
        base_currency,
        trade_date,
        currency,
        file_id,
        line_number,
        max(trade_date) over (
            partition by feed, base_currency order by trade_date
            range between unbounded preceding and interval 1 day preceding
        ) as date_before
    from {{ source('raw', 'exchange_rate') }}
    where is_current and trade_date >= {{ dbt.dateadd('day', -30, changed_from()) }}
),

rate_line as (
    select
        feed,
        base_currency,
        trade_date,
        date_before,
        min(file_id) as file_id,
        min(line_number) as line_number
    from rate
    where trade_date >= {{ changed_from() }}
    group by feed, base_currency, trade_date, date_before
)

select
    reported.record_kind,
    reported.feed,
    reported.symbol,
    reported.trade_date,
    file.path as file,
    reported.line_number,
    concat_ws(
        ', ',
        case when reported.open is null and before.open is not null then 'open' end,
        case when reported.high is null and before.high is not null then 'high' end,
        case when reported.low is null and before.low is not null then 'low' end,
        case when reported.volume is null and before.volume is not null then 'volume' end,
        case when reported.turnover is null and before.turnover is not null then 'turnover' end
    ) || ' is missing or zero, and was reported at the session before' as what
from reported
inner join reported as before
    on
        reported.feed = before.feed
        and reported.record_kind = before.record_kind
        and reported.symbol = before.symbol
        and reported.previous_trade_date = before.trade_date
inner join {{ source('raw', 'file') }} as file on reported.file_id = file.file_id
where
    {{ is_changed('reported') }}
    and (
        (reported.open is null and before.open is not null)
        or (reported.high is null and before.high is not null)
        or (reported.low is null and before.low is not null)
        or (reported.volume is null and before.volume is not null)
        or (reported.turnover is null and before.turnover is not null)
    )

union all

-- A line has one rate per currency; a blank one leaves no record.
select
    'exchange_rate' as record_kind,
    rate_line.feed,
    before.base_currency || before.currency as symbol,
    rate_line.trade_date,
    file.path as file,
    rate_line.line_number,
    'the rate is missing, and was reported on ' || before.trade_date as what
from rate_line
inner join rate as before
    on
        rate_line.feed = before.feed
        and rate_line.base_currency = before.base_currency
        and rate_line.date_before = before.trade_date
        -- A night reads no rates from before these days; a first load finds the same.
        and before.trade_date >= {{ dbt.dateadd('day', -30, 'rate_line.trade_date') }}
inner join {{ source('raw', 'asked_dates') }} as asked
    on rate_line.trade_date between asked.from_date and asked.to_date
inner join {{ source('raw', 'file') }} as file on rate_line.file_id = file.file_id
where not exists (
        select 1
        from rate as same
        where
            same.feed = rate_line.feed
            and same.base_currency = rate_line.base_currency
            and same.trade_date = rate_line.trade_date
            and same.currency = before.currency
    )
order by trade_date desc, file asc
