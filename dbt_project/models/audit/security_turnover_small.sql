-- Compared with the market's turnover of the session: a few thousand yuan were much in 1990. A
-- feed without turnover has it from volume and prices as dealt. B shares and counters in other
-- currencies trade that little.
with reported as (
    select
        reported.feed,
        reported.symbol,
        reported.trade_date,
        case when reported.market = 'XHKG' then 'hong_kong' else 'mainland' end as region,
        coalesce(
            cast(reported.turnover as double),
            case
                when feed.price_basis = 'traded'
                    then cast(reported.volume as double) * reported.close
            end
        ) as turnover
    from {{ ref('int_counted_security_close') }} as reported
    inner join {{ source('raw', 'feed') }} as feed on reported.feed = feed.feed
    where
        reported.trade_date >= {{ changed_from() }}
        and reported.currency = case when reported.market = 'XHKG' then 'HKD' else 'CNY' end
),

usual as (
    select
        feed,
        region,
        trade_date,
        median(turnover) as turnover,
        count(*) as securities,
        min(symbol) as symbol
    from reported
    where turnover > 0
    group by feed, region, trade_date
),

compared as (
    select
        usual.*,
        case usual.region
            when 'hong_kong' then market.turnover_hkd else market.turnover_cny
        end as turnover_of_region
    from usual
    inner join {{ ref('cross_market_turnover') }} as market
        on
            usual.trade_date = market.trade_date
            and usual.region = market.scope
)

select
    'security_close' as record_kind,
    feed,
    trade_date,
    case when securities = 1 then symbol end as symbol,
    'half of its ' || securities || ' securities have a turnover of at most ' || round(turnover)
    || ', of ' || round(turnover_of_region / 1e9) || ' billion in all' as what
from compared
where
    turnover * 1e6 < turnover_of_region * case region
        when 'hong_kong' then {{ setting('millionths_hong_kong') }}
        else {{ setting('millionths_mainland') }}
    end
order by trade_date desc, feed asc
