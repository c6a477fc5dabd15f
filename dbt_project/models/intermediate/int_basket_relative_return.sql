with basket_performance as (

    select
        *,
        {{ benchmark_of_region('region') | indent(8) }} as benchmark
    from {{ ref('sector_performance') }}
    where level = 'basket'

),

benchmark_performance as (

    select * from {{ ref('index_performance') }}

),

benchmark_session as (

    select * from {{ ref('int_benchmark_session') }}

)

-- Every member has the same weight, so that days with and without known turnover can be compared.
select
    basket_performance.sector as basket,
    basket_performance.trade_date,
    benchmark_session.session_number,
    basket_performance.change_pct_equal as basket_return_pct,
    benchmark_performance.change_pct as benchmark_return_pct,
    round(
        basket_performance.change_pct_equal - benchmark_performance.change_pct, 6
    ) as relative_return_pct
from basket_performance
inner join benchmark_performance
    on
        basket_performance.benchmark = benchmark_performance.symbol
        and basket_performance.trade_date = benchmark_performance.trade_date
inner join benchmark_session
    on
        basket_performance.benchmark = benchmark_session.benchmark
        and basket_performance.trade_date = benchmark_session.trade_date
