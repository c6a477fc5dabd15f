select
    'market_turnover' as record_kind,
    feed,
    market as symbol,
    trade_date,
    'the exchange says ' || exchange_turnover || ', the amount of the index is ' || turnover as what
from {{ ref('market_turnover') }}
where
    trade_date >= {{ changed_from() }}
    and basis = 'index_amount'
    and (
        exchange_turnover < {{ setting('low') }} * turnover
        or exchange_turnover > {{ setting('high') }} * turnover
    )
order by trade_date desc
