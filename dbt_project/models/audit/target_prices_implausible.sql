select
    'broker_target' as record_kind,
    target.feed,
    target.symbol,
    target.target_date as trade_date,
    file.path as file,
    origin.line_number,
    'target ' || target.target || ' ' || target.currency || ' of ' || target.broker || case
        when target.close is null then ', of a security without a close'
        when target.upside_pct is null then ', in another currency than its close'
        else ', the close of ' || target.close_date || ' is ' || target.close
    end as what
from {{ ref('target_price') }} as target
inner join {{ source('raw', 'broker_target') }} as origin
    on
        target.feed = origin.feed
        and target.symbol = origin.symbol
        and target.broker = origin.broker
        and target.target_date = origin.trade_date
inner join {{ source('raw', 'file') }} as file on origin.file_id = file.file_id
where
    origin.is_current
    and target.target_date >= {{ changed_from() }}
    and (
        target.upside_pct is null
        or target.target < {{ setting('low') }} * target.close
        or target.target > {{ setting('high') }} * target.close
    )
order by target.target_date desc
