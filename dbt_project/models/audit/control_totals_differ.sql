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

sold_short as (
    select * from {{ ref('stg_short_selling') }}
    where trade_date >= {{ changed_from() }}
),

-- The same file quotes the security; each of the feeds that read it has a file_id of its own.
quoted as (
    select
        sold_short.*,
        security_close.turnover as quoted_turnover
    from sold_short
    inner join {{ source('raw', 'file') }} as list_file on sold_short.file_id = list_file.file_id
    inner join {{ source('raw', 'file') }} as quotation_file on list_file.path = quotation_file.path
    inner join {{ source('raw', 'security_close') }} as security_close
        on
            quotation_file.file_id = security_close.file_id
            and sold_short.symbol = security_close.symbol
            and sold_short.trade_date = security_close.trade_date
    where
        security_close.is_current
        and security_close.trade_date >= {{ changed_from() }}
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

    union all

    select
        'short_selling' as record_kind,
        feed,
        symbol,
        trade_date,
        file_id,
        line_number,
        'sold short for ' || turnover || ', its whole turnover is ' || turnover_of_security as what
    from sold_short
    where turnover > turnover_of_security

    union all

    select
        'short_selling' as record_kind,
        feed,
        symbol,
        trade_date,
        file_id,
        line_number,
        'its turnover is ' || turnover_of_security || ' among the short selling, '
        || quoted_turnover || ' in the quotations' as what
    from quoted
    where
        abs(turnover_of_security - quoted_turnover)
        > {{ setting('share') }} * quoted_turnover
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
