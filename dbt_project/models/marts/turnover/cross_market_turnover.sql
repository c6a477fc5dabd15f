with scope_market as (

    select
        market,
        region as scope
    from {{ ref('market') }}

    union all

    select
        market,
        'all' as scope
    from {{ ref('market') }}

),

-- The date before is the last on which one of the scope's markets traded, covered or not.
scope_date as (

    select
        scope_market.scope,
        session.trade_date,
        lag(session.trade_date) over (
            partition by scope_market.scope order by session.trade_date
        ) as previous_trade_date
    from scope_market
    inner join {{ ref('stg_calendar') }} as session
        on scope_market.market = session.market
    group by scope_market.scope, session.trade_date

),

summed as (

    select
        scope_market.scope,
        session.trade_date,
        -- Without a rate for one of the markets that reported there is no total in that currency.
        {% for currency in turnover_currencies() %}
            case
                when
                    count(reported.turnover_{{ currency }}) = count(reported.turnover)
                    then cast(sum(reported.turnover_{{ currency }}) as decimal(18, 2))
            end as turnover_{{ currency }},
        {% endfor %}
        cast(count(*) as integer) as markets_open,
        cast(count(reported.turnover) as integer) as markets_reported
    from scope_market
    inner join {{ ref('stg_session') }} as session
        on scope_market.market = session.market
    left join {{ ref('market_turnover') }} as reported
        on
            session.market = reported.market
            and session.trade_date = reported.trade_date
    group by scope_market.scope, session.trade_date

),

totals as (

    select
        summed.*,
        scope_date.previous_trade_date,
        summed.markets_reported = summed.markets_open as is_complete
    from summed
    inner join scope_date
        on
            summed.scope = scope_date.scope
            and summed.trade_date = scope_date.trade_date

)

select
    totals.trade_date,
    totals.scope,
    totals.turnover_cny,
    totals.turnover_hkd,
    totals.turnover_usd,
    totals.previous_trade_date,
    previous.turnover_cny as previous_turnover_cny,
    case
        when totals.is_complete and previous.is_complete
            then cast(totals.turnover_cny - previous.turnover_cny as decimal(18, 2))
    end as change_cny,
    case
        when totals.is_complete and previous.is_complete
            then {{ pct_change('totals.turnover_cny', 'previous.turnover_cny') }}
    end as change_pct,
    case
        when whole.is_complete
            then {{ pct_of('totals.turnover_cny', 'whole.turnover_cny') }}
    end as share_of_all_pct,
    totals.markets_open,
    totals.markets_reported,
    previous.markets_open as previous_markets_open,
    totals.is_complete
from totals
left join totals as previous
    on
        totals.scope = previous.scope
        and totals.previous_trade_date = previous.trade_date
left join totals as whole
    on
        totals.trade_date = whole.trade_date
        and whole.scope = 'all'
{% if is_incremental() %}
    where totals.trade_date >= {{ rebuild_from() }}
{% endif %}
