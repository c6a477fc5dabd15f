-- Each market whose calendar ends before the clock, with its first guessed session.
select
    session.market as symbol,
    min(session.trade_date) as trade_date,
    session.market || ': ' || count(*) || ' covered session(s) are guessed, '
    || min(session.calendar_source) as what
from {{ ref('dim_session') }} as session
where session.is_guessed and session.is_asked
group by session.market
order by session.market
