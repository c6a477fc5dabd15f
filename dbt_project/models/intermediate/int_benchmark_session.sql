with calendar as (

    select * from {{ ref('stg_calendar') }}

),

covered_session as (

    select * from {{ ref('stg_session') }}

),

benchmark as (

    select
        symbol,
        market
    from {{ ref('index_definition') }}
    where symbol in ({{ "'" ~ benchmarks().values() | join("', '") ~ "'" }})

)

select
    benchmark.symbol as benchmark,
    calendar.trade_date,
    calendar.session_number,
    covered_session.trade_date is not null as is_covered
from benchmark
inner join calendar
    on benchmark.market = calendar.market
left join covered_session
    on
        calendar.market = covered_session.market
        and calendar.trade_date = covered_session.trade_date
