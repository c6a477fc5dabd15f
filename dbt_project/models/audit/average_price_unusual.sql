-- Turnover ÷ volume of an index or a market is the average price of its shares, which moves slowly.
with reported as (
    select
        'index_close' as record_kind,
        feed,
        symbol,
        trade_date,
        session_number,
        cast(turnover as double) / volume as average_price,
        file_id,
        line_number
    from {{ ref('stg_index_close') }}
    where volume > 0 and turnover > 0
    union all
    select
        'market_turnover' as record_kind,
        feed,
        market || ' ' || segment as symbol,
        trade_date,
        session_number,
        cast(turnover as double) / volume as average_price,
        file_id,
        line_number
    from {{ ref('stg_market_turnover') }}
    where volume > 0 and turnover > 0
),

compared as (
    select
        *,
        median(average_price) over (
            partition by record_kind, feed, symbol order by session_number
            rows between 20 preceding and 1 preceding
        ) as usual
    from reported
    where trade_date >= {{ dbt.dateadd('day', -60, changed_from()) }}
)

select
    compared.record_kind,
    compared.feed,
    compared.symbol,
    compared.trade_date,
    file.path as file,
    compared.line_number,
    'turnover ÷ volume is ' || round(compared.average_price, 4) || ', after a median of '
    || round(compared.usual, 4) || ' in the sessions before' as what
from compared
inner join {{ source('raw', 'file') }} as file on compared.file_id = file.file_id
where
    compared.trade_date >= {{ changed_from() }}
    and (
        compared.average_price > {{ setting('factor') }} * compared.usual
        or compared.average_price < compared.usual / {{ setting('factor') }}
    )
order by abs(ln(compared.average_price / compared.usual)) desc
