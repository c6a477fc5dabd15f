with market as (

    select * from {{ ref('market') }}

),

session as (

    select * from {{ ref('stg_known_session') }}

),

turnover as (

    select * from {{ ref('int_converted_turnover') }}

),

scope_market as (

    select
        market,
        region as scope
    from market

    union all

    select
        market,
        'all' as scope
    from market

),

-- A total that lacks a market, or a rate for one, is no total.
total as (

    select
        scope_market.scope,
        session.trade_date,
        {% for currency in turnover_currencies() %}
            case
                when
                    count(turnover.turnover_{{ currency }}) = count(*)
                    then cast(sum(turnover.turnover_{{ currency }}) as decimal(18, 2))
            end as turnover_{{ currency }},
        {% endfor %}
        cast(count(*) as integer) as markets_open,
        cast(count(turnover.turnover) as integer) as markets_reported,
        count(turnover.turnover) = count(*) as is_complete,
        bool_or(session.is_covered) as is_covered
    from scope_market
    inner join session
        on scope_market.market = session.market
    left join turnover
        on
            session.market = turnover.market
            and session.trade_date = turnover.trade_date
    group by scope_market.scope, session.trade_date

),

-- The date before is the last on which one of the scope's markets traded, covered or not.
followed as (

    select
        *,
        lag(trade_date) over by_date as previous_trade_date,
        lag(turnover_cny) over by_date as previous_turnover_cny,
        lag(markets_open) over by_date as previous_markets_open
    from total
    window by_date as (partition by scope order by trade_date)

)

select
    followed.trade_date,
    followed.scope,
    followed.turnover_cny,
    followed.turnover_hkd,
    followed.turnover_usd,
    followed.previous_trade_date,
    followed.previous_turnover_cny,
    cast(followed.turnover_cny - followed.previous_turnover_cny as decimal(18, 2)) as change_cny,
    {{ pct_change('followed.turnover_cny', 'followed.previous_turnover_cny') }} as change_pct,
    {{ pct_of('followed.turnover_cny', 'whole.turnover_cny') }} as share_of_all_pct,
    followed.markets_open,
    followed.markets_reported,
    followed.previous_markets_open,
    followed.is_complete
from followed
left join followed as whole
    on
        followed.trade_date = whole.trade_date
        and whole.scope = 'all'
where followed.is_covered
{% if is_incremental() %}
    and followed.trade_date >= {{ rebuild_from() }}
{% endif %}
