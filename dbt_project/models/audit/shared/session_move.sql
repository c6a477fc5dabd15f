with moved as (
    select
        'index_close' as record_kind,
        performance.feed,
        performance.symbol,
        performance.trade_date,
        cast(null as {{ dbt.type_string() }}) as market,
        performance.high,
        performance.low,
        performance.close,
        performance.previous_close,
        performance.change_pct,
        performance.volume,
        cast(null as decimal(4, 2)) as limit_pct,
        cast(null as decimal(4, 2)) as limit_of_adjusted_pct,
        false as is_newly_listed,
        origin.file_id,
        origin.line_number
    from {{ ref('index_performance') }} as performance
    inner join {{ source('raw', 'index_close') }} as origin
        on
            performance.feed = origin.feed
            and performance.symbol = origin.symbol
            and performance.trade_date = origin.trade_date
    where origin.is_current

    union all

    select
        'security_close' as record_kind,
        performance.feed,
        performance.symbol,
        performance.trade_date,
        performance.market,
        performance.high,
        performance.low,
        performance.close,
        performance.previous_close,
        performance.change_pct,
        performance.volume,
        performance.limit_pct,
        -- Of adjusted prices no limit is exact; the widest of their board bounds their changes too.
        case
            when
                performance.price_basis <> 'traded'
                and {{ is_counted_share('performance.kind') }}
                and coalesce(performance.sessions_since_listing > 5, true)
                then
                    cast(
                        100 * {{ price_limit(
                            'performance.region',
                            'performance.board',
                            "''",
                            'false',
                            'performance.trade_date'
                        ) }} as decimal(4, 2)
                    )
        end as limit_of_adjusted_pct,
        coalesce(performance.sessions_since_listing <= 5, false) as is_newly_listed,
        origin.file_id,
        origin.line_number
    from {{ ref('security_performance') }} as performance
    inner join {{ source('raw', 'security_close') }} as origin
        on
            performance.feed = origin.feed
            and performance.symbol = origin.symbol
            and performance.trade_date = origin.trade_date
    where origin.is_current
)

select
    moved.record_kind,
    moved.feed,
    moved.symbol,
    moved.trade_date,
    moved.market,
    moved.high,
    moved.low,
    moved.close,
    moved.previous_close,
    moved.change_pct,
    moved.volume,
    moved.is_newly_listed,
    coalesce(moved.limit_pct, moved.limit_of_adjusted_pct) as limit_pct,
    coalesce(
        moved.volume > 0
        and (
            {{ is_beyond_limit(
                'greatest(moved.close, moved.high)',
                'least(moved.close, moved.low)',
                'moved.previous_close',
                'moved.limit_pct / 100'
            ) }}
            or abs(moved.change_pct) > moved.limit_of_adjusted_pct + 1
        ),
        false
    ) as is_beyond_limit,
    file.path as file,
    moved.line_number,
    round(moved.change_pct, 2)
    || ' %, from '
    || moved.previous_close
    || ' to '
    || moved.close as what
from moved
inner join {{ source('raw', 'file') }} as file on moved.file_id = file.file_id
