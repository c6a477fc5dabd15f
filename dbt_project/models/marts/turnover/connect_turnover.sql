-- No feed reports Stock Connect yet: the table has its columns and no rows.
with no_record as (

    select
        cast(null as date) as trade_date,
        cast(null as string) as channel,
        cast(null as string) as direction,
        cast(null as string) as currency,
        cast(null as decimal(18, 2)) as turnover,
        cast(null as decimal(18, 2)) as buy,
        cast(null as decimal(18, 2)) as sell,
        cast(null as decimal(18, 2)) as net_buy,
        cast(null as boolean) as is_open,
        cast(null as string) as feed

)

select
    trade_date,
    channel,
    direction,
    currency,
    turnover,
    buy,
    sell,
    net_buy,
    is_open,
    feed
from no_record
where trade_date is not null
