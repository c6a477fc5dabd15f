{{ config(materialized='view') }}

with file as (

    select * from {{ source('raw', 'file') }}

),

total as (

    select * from {{ ref('int_market_turnover') }}

),

record as (

    select
        record.record_kind,
        record.symbol,
        record.trade_date,
        record.segment,
        cast(coalesce(record.close, record.rate) as double) as price,
        record.turnover,
        record.feed,
        file.path as file,
        file.sha256 as file_sha256,
        record.line_number,
        record.loaded_at,
        record.is_current and not record.is_quarantined as counts,
        first_value(record.feed) over (
            partition by record.record_kind, record.symbol, record.trade_date
            order by
                case when record.is_current and not record.is_quarantined then 0 else 1 end,
                record.priority,
                record.feed
        ) as chosen_feed
    from {{ ref('int_record') }} as record
    inner join file
        on record.file_id = file.file_id
    where
        record.fate in ('loaded', 'held')
        or record.is_looked_back_on

)

select
    record.record_kind,
    record.symbol,
    record.trade_date,
    record.segment,
    record.price,
    record.turnover,
    record.feed,
    record.file,
    record.file_sha256,
    record.line_number,
    record.loaded_at,
    record.counts
    and case
        -- The best feed of a market's total is the best of those that give all its segments; the
        -- exchange's own total may be another's.
        when record.record_kind = 'market_turnover'
            then coalesce(record.feed in (total.feed, total.exchange_feed), false)
        else record.feed = record.chosen_feed
    end as is_chosen
from record
left join total
    on
        record.symbol = total.market
        and record.trade_date = total.trade_date
