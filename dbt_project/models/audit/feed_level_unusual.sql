-- One share may trade ten times its usual volume; half of the shares of a feed do not.
with reported as (
    select
        feed,
        symbol,
        trade_date,
        session_number,
        'volume' as figure,
        cast(volume as double) as amount
    from {{ ref('reported_close') }}
    where
        record_kind = 'security_close'
        and volume > 0
        and trade_date >= {{ dbt.dateadd('day', -45, changed_from()) }}
    union all
    select
        feed,
        symbol,
        trade_date,
        session_number,
        'turnover' as figure,
        cast(turnover as double) as amount
    from {{ ref('reported_close') }}
    where
        record_kind = 'security_close'
        and turnover > 0
        and trade_date >= {{ dbt.dateadd('day', -45, changed_from()) }}
),

compared as (
    select
        *,
        amount / median(amount) over earlier as ratio,
        count(*) over earlier as sessions
    from reported
    window earlier as (
        partition by feed, figure, symbol order by session_number
        rows between 20 preceding and 1 preceding
    )
),

level as (
    select
        feed,
        figure,
        trade_date,
        median(ratio) as ratio,
        count(*) as securities
    from compared
    where sessions >= 5 and trade_date >= {{ changed_from() }}
    group by feed, figure, trade_date
)

select
    'security_close' as record_kind,
    feed,
    trade_date,
    'half of its ' || securities || ' securities have a ' || figure || ' of '
    || round(ratio, 3) || ' × their usual one, or further from it' as what
from level
where
    securities >= {{ setting('securities') }}
    and (ratio > {{ setting('factor') }} or ratio < 1 / {{ setting('factor') }})
order by trade_date desc, feed asc, figure asc
