with turnover as (
    select
        reported.*,
        {{ list_has('feed.segments', 'reported.segment') }} as is_total
    from {{ source('raw', 'market_turnover') }} as reported
    inner join {{ source('raw', 'feed') }} as feed on reported.feed = feed.feed
    where
        reported.is_current
        and reported.trade_date >= {{ changed_from() }}
),

boards as (
    select
        turnover.feed,
        turnover.market,
        turnover.trade_date,
        min(turnover.file_id) as file_id,
        min(turnover.line_number) as line_number,
        sum(case when turnover.is_total then turnover.turnover end) as total,
        sum(case when not turnover.is_total then turnover.turnover end) as parts
    from turnover
    group by turnover.feed, turnover.market, turnover.trade_date
),

differing as (
    select
        'market_turnover' as record_kind,
        feed,
        market as symbol,
        trade_date,
        file_id,
        line_number,
        'its boards add up to ' || parts || ', the total is ' || total as what
    from boards
    where abs(total - parts) > {{ setting('rounding') }}

    union all

    select
        'market_turnover' as record_kind,
        feed,
        market as symbol,
        trade_date,
        file_id,
        line_number,
        segment || ': its securities add up to ' || turnover_of_securities || ', the total is '
        || turnover as what
    from turnover
    where abs(turnover - turnover_of_securities) > {{ setting('share') }} * turnover

    union all

    select
        'connect_turnover' as record_kind,
        feed,
        channel as symbol,
        trade_date,
        file_id,
        line_number,
        direction || ': bought and sold add up to ' || buy + sell || ', the turnover is '
        || turnover as what
    from {{ ref('stg_connect_turnover') }}
    where
        trade_date >= {{ changed_from() }}
        and abs(buy + sell - turnover) > {{ setting('rounding') }}
)

select
    differing.record_kind,
    differing.feed,
    differing.symbol,
    differing.trade_date,
    file.path as file,
    differing.line_number,
    differing.what
from differing
inner join {{ source('raw', 'file') }} as file on differing.file_id = file.file_id
order by differing.trade_date desc, differing.feed asc
