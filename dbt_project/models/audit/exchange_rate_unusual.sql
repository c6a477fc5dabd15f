with ordered as (
    select
        *,
        lag(rate) over (
            partition by feed, base_currency, currency order by trade_date
        ) as rate_before,
        lag(trade_date) over (
            partition by feed, base_currency, currency order by trade_date
        ) as date_before
    from {{ source('raw', 'exchange_rate') }}
    where is_current and trade_date >= {{ dbt.dateadd('day', -30, changed_from()) }}
)

select
    'exchange_rate' as record_kind,
    ordered.feed,
    ordered.base_currency || ordered.currency as symbol,
    ordered.trade_date,
    file.path as file,
    ordered.line_number,
    ordered.rate || ' after ' || ordered.rate_before || ' the day before' as what
from ordered
inner join {{ source('raw', 'file') }} as file on ordered.file_id = file.file_id
inner join {{ source('raw', 'asked_dates') }} as asked
    on ordered.trade_date between asked.from_date and asked.to_date
where
    ordered.trade_date >= {{ changed_from() }}
    and ordered.date_before >= {{ dbt.dateadd('day', -30, 'ordered.trade_date') }}
    and abs(ordered.rate / ordered.rate_before - 1) > {{ setting('pct') }} / 100
order by ordered.trade_date desc
