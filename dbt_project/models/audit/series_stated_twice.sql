-- The old and the new code of one share rightly have the same series.
with one_share as (
    select
        old_symbol as symbol,
        new_symbol as other_symbol
    from {{ ref('code_change') }}

    union all

    select
        new_symbol as symbol,
        old_symbol as other_symbol
    from {{ ref('code_change') }}
)

select
    later.record_kind,
    later.feed,
    later.symbol,
    later.trade_date,
    file.path as file,
    later.line_number,
    'has the prices and volume of ' || other.symbol || ' (' || other_file.path || ':'
    || other.line_number || ')' as what
from {{ ref('reported_close') }} as later
inner join {{ ref('reported_close') }} as other
    on
        later.record_kind = other.record_kind
        and later.feed = other.feed
        and later.trade_date = other.trade_date
        and later.symbol > other.symbol
        and later.open = other.open
        and later.high = other.high
        and later.low = other.low
        and later.close = other.close
        and later.volume is not distinct from other.volume
inner join {{ source('raw', 'file') }} as file on later.file_id = file.file_id
inner join {{ source('raw', 'file') }} as other_file on other.file_id = other_file.file_id
left join one_share
    on later.symbol = one_share.symbol and other.symbol = one_share.other_symbol
where
    one_share.symbol is null
    and later.trade_date >= {{ changed_from() }}
    and other.trade_date >= {{ changed_from() }}
    and later.high > later.low
    and coalesce(later.volume, 1) > 0

union all

select
    'market_turnover' as record_kind,
    later.feed,
    later.market as symbol,
    later.trade_date,
    file.path as file,
    later.line_number,
    'has the turnover of ' || other.market || ' (' || other_file.path || ':' || other.line_number
    || ')' as what
from {{ ref('stg_market_turnover') }} as later
inner join {{ ref('stg_market_turnover') }} as other
    on
        later.feed = other.feed
        and later.trade_date = other.trade_date
        and later.turnover = other.turnover
        and (
            later.market > other.market
            or (later.market = other.market and later.segment > other.segment)
        )
inner join {{ source('raw', 'file') }} as file on later.file_id = file.file_id
inner join {{ source('raw', 'file') }} as other_file on other.file_id = other_file.file_id
where later.trade_date >= {{ changed_from() }} and later.turnover > 0
