{{ config(materialized='table') }}

select
    market,
    name,
    name_local,
    region,
    currency,
    calendar,
    timezone,
    opened
from {{ ref('market') }}
