with reported as (
    select
        *,
        case channel when 'shanghai' then 'XSHG' else 'XSHE' end as mainland_market
    from {{ ref('stg_connect_turnover') }}
    where
        trade_date >= {{ changed_from() }}
        -- Until then a channel also closed where money could not be settled on the days after.
        and trade_date >= cast('2023-04-24' as date)
),

compared as (
    select
        reported.*,
        hong_kong.market is not null and mainland.market is not null as both_trade
    from reported
    left join {{ ref('stg_session') }} as hong_kong
        on
            hong_kong.market = 'XHKG'
            and reported.trade_date = hong_kong.trade_date
    left join {{ ref('stg_session') }} as mainland
        on
            reported.mainland_market = mainland.market
            and reported.trade_date = mainland.trade_date
)

select
    'connect_turnover' as record_kind,
    compared.feed,
    compared.channel as symbol,
    compared.trade_date,
    file.path as file,
    compared.line_number,
    case
        when compared.is_open
            then compared.direction || ' was open, but one of its markets has no session'
        else compared.direction || ' was closed, but both of its markets have a session'
    end as what
from compared
inner join {{ source('raw', 'file') }} as file on compared.file_id = file.file_id
where compared.is_open <> compared.both_trade
order by compared.trade_date desc
