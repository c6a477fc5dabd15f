-- A claim's words may mean several things: a group or the index that stands for it, the targets of
-- several brokers. Each is a reading; the first is the most literal.
with claim as (

    select
        claim.*,
        case
            when claim.unit like 'trillion %' then 1000000000000
            when claim.unit like 'billion %' then 1000000000
            when claim.unit like 'million %' then 1000000
            else 1
        end as unit_size
    from {{ ref('published_claim') }} as claim
    inner join {{ source('raw', 'asked_dates') }} as asked
        on claim.trade_date between asked.from_date and asked.to_date

),

meant as (

    select
        claim_id,
        trade_date,
        metric,
        1 as reading,
        subject_kind as kind,
        subject as symbol
    from claim
    where metric in ('close', 'change', 'change_pct', 'closing_high_since')

    union all

    select
        claim_id,
        trade_date,
        metric,
        2 as reading,
        'index' as kind,
        index_of_group as symbol
    from claim
    where metric in ('close', 'change', 'change_pct', 'closing_high_since')

),

{% for kind in ['index', 'security'] %}
    {{ kind }}_history as (

        select
            symbol,
            min(trade_date) as known_from
        from {{ ref(kind ~ '_performance') }}
        where symbol in (select meant.symbol from meant)
        group by symbol

    ),

    of_{{ kind }} as (

        select
            meant.claim_id,
            meant.reading,
            coalesce(
                performance.name || ' (' || performance.symbol || ')', performance.symbol
            ) as named,
            cast(
                case meant.metric
                    when 'close' then performance.close
                    when 'change' then performance.change
                    when 'change_pct' then performance.change_pct
                    when 'closing_high_since' then performance.close
                end as double
            ) as value,
            performance.closing_high_since as high_since,
            history.known_from
        from meant
        inner join {{ ref(kind ~ '_performance') }} as performance
            on
                meant.trade_date = performance.trade_date
                and meant.symbol = performance.symbol
        inner join {{ kind }}_history as history
            on performance.symbol = history.symbol
        where meant.kind = '{{ kind }}'

    ),

{% endfor %}
-- A group of one member tells of a company: it takes no rank from another.
of_group as (

    select
        claim.claim_id,
        claim.subject || ' (' || claim.region || ')' as named,
        performance.change_pct,
        case claim.metric
            when 'change_pct' then performance.change_pct
            when 'rank'
                then 1 + count(case
                        when
                            claim.comparison = 'among_leaders'
                            and peer.change_pct > performance.change_pct
                            then 1
                        when
                            claim.comparison = 'among_laggards'
                            and peer.change_pct < performance.change_pct
                            then 1
                    end)
        end as value,
        1 + count(peer.sector) as ranked
    from claim
    inner join {{ ref('sector_performance') }} as performance
        on
            claim.trade_date = performance.trade_date
            and claim.subject_kind = performance.level
            and claim.subject = performance.sector
            and claim.region = performance.region
    left join {{ ref('sector_performance') }} as peer
        on
            performance.trade_date = peer.trade_date
            and performance.level = peer.level
            and performance.region = peer.region
            and performance.sector <> peer.sector
            and peer.change_pct is not null
            and peer.advancers + peer.decliners + peer.unchanged > 1
    where
        claim.metric in ('change_pct', 'rank')
        and performance.change_pct is not null
    group by claim.claim_id, claim.subject, claim.region, claim.metric, performance.change_pct

),

-- A total that lacks a market is no total.
of_scope as (

    select
        claim.claim_id,
        totals.scope as named,
        cast(
            case
                when claim.metric = 'turnover_cny' and totals.is_complete
                    then totals.turnover_cny
                when claim.metric = 'turnover_hkd' and totals.is_complete
                    then totals.turnover_hkd
                when claim.metric = 'previous_turnover_cny' and previous.is_complete
                    then previous.turnover_cny
            end as double
        ) / claim.unit_size as value
    from claim
    inner join {{ ref('cross_market_turnover') }} as totals
        on
            claim.trade_date = totals.trade_date
            and claim.subject = totals.scope
    left join {{ ref('cross_market_turnover') }} as previous
        on
            totals.scope = previous.scope
            and totals.previous_trade_date = previous.trade_date
    where claim.subject_kind = 'scope'

),

-- The target that each broker held on the day.
of_broker as (

    select
        claim.claim_id,
        stated.broker,
        stated.symbol,
        stated.target_date,
        stated.target,
        row_number() over (
            partition by claim.claim_id, stated.broker order by stated.target_date desc
        ) as age_rank
    from claim
    inner join {{ ref('target_price') }} as stated
        on
            claim.subject = stated.symbol
            and claim.unit = stated.currency
            and claim.trade_date >= stated.target_date
    where claim.metric = 'target_price'

),

of_event as (

    select
        claim.claim_id,
        reaction.basket,
        reaction.event_id,
        reaction.event_date,
        reaction.benchmark,
        reaction.relative_return_pct,
        reaction.usual_low_pct,
        reaction.usual_high_pct
    from claim
    inner join {{ ref('event_reaction') }} as reaction
        on
            claim.trade_date = reaction.trade_date
            and claim.subject = reaction.basket
    where claim.metric = 'reaction'

)

{% for kind in ['index', 'security'] %}
    select
        claim_id,
        reading,
        named,
        value,
        high_since,
        known_from
    from of_{{ kind }}

    union all by name

{% endfor %}
select
    claim_id,
    1 as reading,
    named,
    value,
    ranked,
    change_pct
from of_group

union all by name

select
    claim_id,
    1 as reading,
    named,
    value
from of_scope

union all by name

select
    claim_id,
    row_number() over (partition by claim_id order by target_date desc, broker asc) as reading,
    broker || ' on ' || symbol || ' (' || cast(target_date as string) || ')' as named,
    cast(target as double) as value
from of_broker
where age_rank = 1

union all by name

select
    claim_id,
    row_number() over (partition by claim_id order by event_date desc, event_id asc) as reading,
    basket || ' against ' || benchmark || ' after ' || event_id
    || ' (' || cast(event_date as string) || ')' as named,
    relative_return_pct as value,
    usual_low_pct as usual_low,
    usual_high_pct as usual_high
from of_event
