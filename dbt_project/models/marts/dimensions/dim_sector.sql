{{ config(materialized='table') }}

select
    sector,
    name,
    name_local,
    description
from {{ ref('sector') }}
