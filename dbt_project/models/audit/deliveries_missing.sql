-- The file of a finding: that of the session where the feed has one file per day, else the one that
-- last had the first missing symbol.
with given as (
    select
        feed,
        symbol,
        trade_date,
        file_id
    from {{ ref('reported_close') }}
    where trade_date >= {{ sessions_before_change() }}
    union all
    select
        feed,
        'turnover ' || segment as symbol,
        trade_date,
        file_id
    from {{ ref('stg_market_turnover') }}
),

lacking as (
    select
        coverage.*,
        feed.is_daily,
        feed.due_by,
        feed.is_monthly
    from {{ ref('session_coverage') }} as coverage
    inner join {{ source('raw', 'feed') }} as feed on coverage.feed = feed.feed
    where
        coverage.trade_date >= {{ changed_from() }}
        -- sessions_quarantined has these.
        and coverage.status <> 'quarantined'
        and (
            coverage.is_late
            or coverage.missing_symbols > {{ setting('share') }} * coverage.expected_symbols
        )
),

last_file as (
    select
        given.feed,
        given.symbol,
        max_by(given.file_id, given.trade_date) as file_id
    from given
    where (given.feed, given.symbol) in (
            select
                lacking.feed,
                lacking.first_missing_symbol
            from lacking
        )
    group by given.feed, given.symbol
),

file_of_day as (
    select
        given.feed,
        given.trade_date,
        min(given.file_id) as file_id
    from given
    where (given.feed, given.trade_date) in (
            select
                lacking.feed,
                lacking.trade_date
            from lacking
            where lacking.is_daily and lacking.received_symbols > 0
        )
    group by given.feed, given.trade_date
)

select
    lacking.feed,
    lacking.trade_date,
    lacking.first_missing_symbol as symbol,
    file.path as file,
    case
        when lacking.received_symbols = 0
            then
                lacking.market || ': ' || lacking.feed || ' brought nothing, '
                || lacking.expected_symbols || ' symbol(s) are due by ' || lacking.due_by
                || case when lacking.is_monthly then ' for the month before' else '' end
        else
            lacking.market || ': ' || lacking.feed || ' brought ' || lacking.received_symbols
            || ' symbol(s), and lacks ' || lacking.missing_symbols || ' of the '
            || lacking.expected_symbols || ' that are due, first ' || lacking.first_missing_symbol
    end as what
from lacking
left join last_file
    on
        lacking.feed = last_file.feed
        and lacking.first_missing_symbol = last_file.symbol
left join file_of_day
    on
        lacking.feed = file_of_day.feed
        and lacking.trade_date = file_of_day.trade_date
left join {{ source('raw', 'file') }} as file
    on
        coalesce(file_of_day.file_id, case when not lacking.is_daily then last_file.file_id end)
        = file.file_id
order by
    lacking.trade_date desc, lacking.missing_symbols desc, lacking.feed asc, lacking.market asc
