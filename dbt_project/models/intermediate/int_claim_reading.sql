{#
`types` are the columns of a reading of any kind, `kinds` which of them each kind has beside the
first four; the others are null.
#}
{% set types = {
    "claim_id": "string", "reading": "bigint", "named": "string", "value": "double",
    "high_since": "date", "known_from": "date", "ranked": "bigint", "change_pct": "double",
    "usual_low": "double", "usual_high": "double",
} %}
{% set kinds = {
    "series_reading": ["high_since", "known_from"],
    "group_reading": ["ranked", "change_pct"],
    "turnover_reading": [],
    "target_reading": [],
    "reaction_reading": ["usual_low", "usual_high"],
} %}

with claim as (

    select * from {{ ref('int_claim') }}

),

cross_market_turnover as (

    select * from {{ ref('cross_market_turnover') }}

),

target_price as (

    select * from {{ ref('target_price') }}

),

event_reaction as (

    select * from {{ ref('event_reaction') }}

),

series_reading as (

    select * from {{ ref('int_series_claim_reading') }}

),

group_reading as (

    select * from {{ ref('int_group_claim_reading') }}

),

turnover_reading as (

    select
        claim.claim_id,
        1 as reading,
        total.scope as named,
        cast(
            case
                when claim.metric = 'turnover_cny' then total.turnover_cny
                when claim.metric = 'turnover_hkd' then total.turnover_hkd
                when claim.metric = 'previous_turnover_cny' then total.previous_turnover_cny
            end as double
        ) / case
            when claim.unit like 'trillion %' then 1000000000000
            when claim.unit like 'billion %' then 1000000000
            when claim.unit like 'million %' then 1000000
            else 1
        end as value
    from claim
    inner join cross_market_turnover as total
        on
            claim.trade_date = total.trade_date
            and claim.subject = total.scope
    where claim.subject_kind = 'scope'

),

dated_target as (

    select
        claim.claim_id,
        target_price.broker,
        target_price.symbol,
        target_price.target_date,
        target_price.target,
        row_number() over (
            partition by claim.claim_id, target_price.broker order by target_price.target_date desc
        ) as age_rank
    from claim
    inner join target_price
        on
            claim.subject = target_price.symbol
            and claim.unit = target_price.currency
            and claim.trade_date >= target_price.target_date
    where claim.metric = 'target_price'

),

-- The target that each broker held on the day.
target_reading as (

    select
        claim_id,
        row_number() over (partition by claim_id order by target_date desc, broker asc) as reading,
        broker || ' on ' || symbol || ' (' || cast(target_date as string) || ')' as named,
        target as value
    from dated_target
    where age_rank = 1

),

reaction_reading as (

    select
        claim.claim_id,
        row_number() over (
            partition by claim.claim_id
            order by event_reaction.event_date desc, event_reaction.event_id asc
        ) as reading,
        event_reaction.basket || ' against ' || event_reaction.benchmark || ' after '
        || event_reaction.event_id || ' (' || cast(event_reaction.event_date as string) || ')'
            as named,
        event_reaction.relative_return_pct as value,
        event_reaction.usual_low_pct as usual_low,
        event_reaction.usual_high_pct as usual_high
    from claim
    inner join event_reaction
        on
            claim.trade_date = event_reaction.trade_date
            and claim.subject = event_reaction.basket
    where claim.metric = 'reaction'

)

{% for kind, further in kinds.items() %}
    {% set given = ["claim_id", "reading", "named", "value"] + further %}
    select
        {{ typed_columns(types, dict(zip(given, given))) | indent(8) }}
    from {{ kind }}
    {% if not loop.last %}
        union all
    {% endif %}
{% endfor %}
