{{ config(materialized='table') }}

select
    symbol,
    name,
    name_local,
    region,
    currency,
    market
from {{ ref('index_definition') }}
