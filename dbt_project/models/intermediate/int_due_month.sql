with session as (

    select
        market,
        trade_date,
        {{ dbt.date_trunc('month', 'trade_date') }} as month,
        row_number() over (
            partition by market, {{ dbt.date_trunc('month', 'trade_date') }} order by trade_date
        ) as number_in_month
    from {{ ref('stg_session') }}

),

month as (

    select
        market,
        month,
        max(trade_date) as last_session,
        min(case when number_in_month = 5 then trade_date end) as fifth_session
    from session
    group by market, month

),

feed as (

    select * from {{ source('raw', 'feed') }}
    where
        due_by is not null
        and is_monthly

),

-- A month is delivered when its last session is.
delivered as (

    select
        due_record.feed,
        due_record.market,
        due_record.symbol,
        month.month
    from {{ ref('int_due_record') }} as due_record
    inner join feed
        on due_record.feed = feed.feed
    inner join month
        on
            due_record.market = month.market
            and due_record.trade_date = month.last_session

),

-- After three months without a symbol, it is due no more.
due as (

    select distinct
        delivered.feed,
        delivered.market,
        delivered.symbol,
        month.fifth_session as trade_date,
        {{ dbt.dateadd('month', -1, 'month.month') }} as month
    from month
    inner join delivered
        on
            month.market = delivered.market
            and delivered.month < {{ dbt.dateadd('month', -1, 'month.month') }}
            and delivered.month >= {{ dbt.dateadd('month', -4, 'month.month') }}
    where month.fifth_session is not null

)

select
    due.feed,
    due.market,
    due.trade_date,
    count(*) as expected_symbols,
    count(delivered.symbol) as received_symbols,
    count(*) - count(delivered.symbol) as missing_symbols,
    min(case when delivered.symbol is null then due.symbol end) as first_missing_symbol
from due
left join delivered
    on
        due.feed = delivered.feed
        and due.market = delivered.market
        and due.symbol = delivered.symbol
        and due.month = delivered.month
group by due.feed, due.market, due.trade_date
