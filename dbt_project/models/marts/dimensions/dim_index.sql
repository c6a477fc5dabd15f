{{ config(materialized='table') }}

with definition as (

    select * from {{ ref('index_definition') }}

),

record as (

    select
        symbol,
        min(trade_date) as record_begins
    from {{ ref('int_index_close') }}
    group by symbol

)

select
    definition.symbol,
    definition.name,
    -- The seed has English names.
    definition.name as name_en,
    definition.name_local,
    definition.region,
    definition.currency,
    definition.market,
    record.record_begins
from definition
left join record
    on definition.symbol = record.symbol
