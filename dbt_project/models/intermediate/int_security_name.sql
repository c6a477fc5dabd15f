-- A name holds from the day a feed gives for it until the day before the next.
with reported as (

    {{ from_best_feed(ref('stg_security_name'), ['symbol', 'valid_from']) | indent(4) }}

)

select
    symbol,
    name,
    valid_from,
    coalesce(
        cast({{ dbt.dateadd(
            'day', -1, 'lead(valid_from) over (partition by symbol order by valid_from)'
        ) }} as date),
        cast('9999-12-31' as date)
    ) as valid_to
from reported
