-- A security: its name and industry from the reference feed of the best priority.
with ranked as (

    select
        stated.*,
        row_number() over (
            partition by stated.symbol order by feed.priority, feed.feed
        ) as feed_rank
    from {{ ref('stg_security_reference') }} as stated
    inner join {{ source('raw', 'feed') }} as feed
        on stated.feed = feed.feed

)

select
    symbol,
    name,
    industry,
    feed as reference_feed
from ranked
where feed_rank = 1
