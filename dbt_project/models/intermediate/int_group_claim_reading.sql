with claim as (

    select * from {{ ref('int_claim') }}
    where metric in ('change_pct', 'rank')

),

sector_performance as (

    select * from {{ ref('sector_performance') }}
    where change_pct is not null

),

-- A group of one member says something about a company: it takes no rank from another.
compared as (

    select
        claim.claim_id,
        claim.subject,
        claim.region,
        claim.metric,
        performance.change_pct,
        count(case
            when claim.comparison = 'among_leaders' and peer.change_pct > performance.change_pct
                then 1
            when claim.comparison = 'among_laggards' and peer.change_pct < performance.change_pct
                then 1
        end) as peers_ahead,
        count(peer.sector) as peers
    from claim
    inner join sector_performance as performance
        on
            claim.trade_date = performance.trade_date
            and claim.subject_kind = performance.level
            and claim.subject = performance.sector
            and claim.region = performance.region
    left join sector_performance as peer
        on
            performance.trade_date = peer.trade_date
            and performance.level = peer.level
            and performance.region = peer.region
            and performance.sector <> peer.sector
            and peer.advancers + peer.decliners + peer.unchanged > 1
    group by claim.claim_id, claim.subject, claim.region, claim.metric, performance.change_pct

)

select
    claim_id,
    1 as reading,
    subject || ' (' || region || ')' as named,
    case metric when 'change_pct' then change_pct when 'rank' then 1 + peers_ahead end as value,
    1 + peers as ranked,
    change_pct
from compared
