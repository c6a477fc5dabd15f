select
    trade_date,
    symbol,
    source || ': ' || rtrim(statement, '.') || ': ' || explanation as what
from {{ ref('published_figure_check') }}
where verdict = 'contradicted' and trade_date >= {{ changed_from() }}
order by claim_id
