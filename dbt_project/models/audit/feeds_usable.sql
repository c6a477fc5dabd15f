select
    feed,
    problem as what
from {{ source('raw', 'feed_problem') }}
order by feed
