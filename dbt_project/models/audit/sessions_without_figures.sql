with figure as (
    select
        dim_index.market,
        performance.trade_date
    from {{ ref('index_performance') }} as performance
    inner join {{ ref('dim_index') }} as dim_index on performance.symbol = dim_index.symbol
    where performance.trade_date >= {{ changed_from() }}
    union all
    select
        market,
        trade_date
    from {{ ref('market_turnover') }}
    where trade_date >= {{ changed_from() }}
    union all
    select
        market,
        trade_date
    from {{ ref('market_breadth') }}
    where trade_date >= {{ changed_from() }}
)

select
    session.market as symbol,
    session.trade_date,
    'no file has a turnover, an index or a security of ' || session.market as what
from {{ ref('dim_session') }} as session
inner join {{ source('raw', 'asked_dates') }} as asked
    on session.trade_date between asked.from_date and asked.to_date
left join figure
    on
        session.market = figure.market
        and session.trade_date = figure.trade_date
where
    session.trade_date >= {{ changed_from() }}
    and figure.market is null
order by session.trade_date desc, session.market asc
