select
    'security_close' as record_kind,
    moved.feed,
    moved.symbol,
    moved.trade_date,
    file.path as file,
    origin.line_number,
    'no volume, but low ' || moved.low || ', high ' || moved.high || ', close ' || moved.close
    || ' after ' || moved.previous_close as what
from {{ ref('security_performance') }} as moved
inner join {{ source('raw', 'security_close') }} as origin
    on
        moved.feed = origin.feed
        and moved.symbol = origin.symbol
        and moved.trade_date = origin.trade_date
inner join {{ source('raw', 'file') }} as file on origin.file_id = file.file_id
where
    {{ is_changed('moved', kind="'security_close'") }}
    and origin.is_current
    and (moved.volume = 0 or moved.status <> 'traded')
    and (
        moved.high > moved.low
        or abs(moved.change) > 0.0001 * cast(moved.previous_close as double)
    )
order by moved.trade_date desc, moved.symbol asc
