-- Prices that the vendor adjusted are no longer those at which the volume was dealt.
with priced as (
    select
        feed,
        trade_date,
        symbol,
        cast(turnover as double) / volume < low / {{ setting('margin') }}
        or cast(turnover as double) / volume > high * {{ setting('margin') }} as is_wrong
    from {{ ref('security_performance') }}
    where
        trade_date >= {{ changed_from() }}
        and price_basis = 'traded'
        and volume > 0
        and turnover > 0
)

select
    'security_close' as record_kind,
    feed,
    trade_date,
    min(symbol) filter (where is_wrong) as symbol,
    count(*) filter (where is_wrong) || ' of ' || count(*)
    || ' rows have turnover ÷ volume outside low and high, e.g. '
    || min(symbol) filter (where is_wrong) as what
from priced
group by feed, trade_date
having count(*) filter (where is_wrong) > {{ setting('share') }} * count(*)
order by trade_date desc, feed asc
