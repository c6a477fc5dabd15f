select
    session.market as symbol,
    session.trade_date,
    'no file has a turnover, an index or a security of ' || session.market as what
from main.dim_session as session
where
    session.trade_date >= $changed_from
    and exists (
        select 1 from raw.asked_dates
        where session.trade_date between from_date and to_date
    )
    and not exists (
        select 1
        from main.index_performance as performance
        inner join main.dim_index as dim_index using (symbol)
        where
            dim_index.market = session.market
            and performance.trade_date = session.trade_date
    )
    and not exists (
        select 1 from main.market_turnover as turnover
        where turnover.market = session.market and turnover.trade_date = session.trade_date
    )
    and not exists (
        select 1 from main.market_breadth as breadth
        where breadth.market = session.market and breadth.trade_date = session.trade_date
    )
order by session.trade_date desc, session.market
