{{ config(materialized='incremental') }}

-- Logarithms of fixed precision add up to the same sum from any day on.
with performance as (

    select * from {{ ref('sector_performance') }}
    {% if is_incremental() %}
        where trade_date >= {{ rebuild_from() }}
    {% endif %}

),

{% if is_incremental() %}
    latest as (

        select
            region,
            level,
            sector,
            max(trade_date) as trade_date
        from {{ this }}
        where trade_date < {{ rebuild_from() }}
        group by region, level, sector

    ),
{% endif %}

step as (

    select
        trade_date,
        region,
        level,
        sector,
        weighting,
        change_pct is not null as is_known,
        coalesce({{ log_ratio('100 + change_pct', '100') }}, 0) as log_step,
        false as is_carried
    from performance

    {% if is_incremental() %}
        -- Where each index stood before the sessions being rebuilt.
        union all

        select
            standing.trade_date,
            standing.region,
            standing.level,
            standing.sector,
            standing.weighting,
            true as is_known,
            standing.log_level as log_step,
            true as is_carried
        from {{ this }} as standing
        inner join latest
            on
                standing.region = latest.region
                and standing.level = latest.level
                and standing.sector = latest.sector
                and standing.trade_date = latest.trade_date
    {% endif %}

),

-- The first session of a group is its base: its own change leads from nowhere.
based as (

    select
        *,
        case
            when
                not is_carried
                and row_number() over (
                    partition by region, level, sector order by trade_date
                ) = 1
                then cast(0 as decimal(18, 12))
            else log_step
        end as log_step_from_base
    from step

),

chained as (

    select
        *,
        cast(
            sum(log_step_from_base) over (
                partition by region, level, sector order by trade_date
                rows between unbounded preceding and current row
            ) as decimal(18, 12)
        ) as log_level
    from based

),

indexed as (

    select
        -- What the levels are compared by; no security has such a symbol.
        region || ' ' || level || ' ' || sector as symbol,
        trade_date,
        region,
        level,
        sector,
        weighting,
        is_known,
        log_level,
        round(100 * exp(cast(log_level as double)), 6) as index_level
    from chained
    where not is_carried

),

level_of_all_sessions as (

    select
        symbol,
        trade_date,
        index_level
    from indexed

    {% if is_incremental() %}
        union all

        select
            symbol,
            trade_date,
            index_level
        from {{ this }}
        where trade_date < {{ rebuild_from() }}
    {% endif %}

),

extreme as (

    {{ closing_extreme_since('level_of_all_sessions', 'index_level') | indent(4) }}

)

select
    indexed.symbol,
    indexed.trade_date,
    indexed.region,
    indexed.level,
    indexed.sector,
    indexed.weighting,
    indexed.is_known,
    indexed.log_level,
    indexed.index_level,
    extreme.closing_high_since
from indexed
inner join extreme
    on
        indexed.symbol = extreme.symbol
        and indexed.trade_date = extreme.trade_date
