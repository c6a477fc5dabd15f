with claim as (

    select * from {{ ref('published_claim') }}

),

covered as (

    select * from {{ source('raw', 'asked_dates') }}

)

select
    claim.claim_id,
    claim.source,
    claim.trade_date,
    claim.statement,
    claim.subject_kind,
    claim.subject,
    claim.region,
    claim.index_of_group,
    claim.metric,
    claim.comparison,
    claim.published_value,
    claim.unit
from claim
inner join covered
    on claim.trade_date between covered.from_date and covered.to_date
