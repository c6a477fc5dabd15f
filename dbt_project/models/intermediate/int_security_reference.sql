with reported as (

    {{ from_best_feed(ref('stg_security_reference'), ['symbol']) | indent(4) }}

)

select
    symbol,
    name,
    name_en,
    industry,
    listed,
    delisted,
    stated_on,
    feed as reference_feed
from reported
