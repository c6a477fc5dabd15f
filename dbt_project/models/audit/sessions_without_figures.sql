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

union all

-- A market's turnover has no feed that must be due: an archive comes once a month.
select
    session.market as symbol,
    session.trade_date,
    'no file has the turnover of ' || session.market || ', of the session before one has' as what
from {{ ref('dim_session') }} as session
inner join {{ source('raw', 'asked_dates') }} as asked
    on session.trade_date between asked.from_date and asked.to_date
inner join {{ ref('market_turnover') }} as before
    on
        session.market = before.market
        and session.previous_trade_date = before.trade_date
left join {{ ref('market_turnover') }} as turnover
    on
        session.market = turnover.market
        and session.trade_date = turnover.trade_date
where
    session.trade_date >= {{ changed_from() }}
    and turnover.market is null
    and (session.market, session.trade_date) in (
        select
            figure.market,
            figure.trade_date
        from figure
    )
order by trade_date desc, symbol asc
