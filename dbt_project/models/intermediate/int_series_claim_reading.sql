-- A claim about a group may mean the index that stands for the group: its second reading.
with claim as (

    select * from {{ ref('int_claim') }}
    where metric in ('close', 'change', 'change_pct', 'closing_high_since', 'streak')

),

reading as (

    select
        claim_id,
        trade_date,
        metric,
        1 as reading,
        subject_kind as kind,
        subject as symbol
    from claim

    union all

    select
        claim_id,
        trade_date,
        metric,
        2 as reading,
        'index' as kind,
        index_of_group as symbol
    from claim

),

index_history as (

    select
        symbol,
        record_begins as known_from
    from {{ ref('dim_index') }}

),

security_history as (

    select
        symbol,
        min(trade_date) as known_from
    from {{ ref('security_performance') }}
    where symbol in (select reading.symbol from reading)
    group by symbol

),

{% for kind in ['index', 'security'] %}
    {{ kind }}_performance as (

        select * from {{ ref(kind ~ '_performance') }}

    ),

    {{ kind }}_reading as (

        select
            reading.claim_id,
            reading.reading,
            reading.metric,
            performance.symbol,
            performance.name,
            performance.close,
            performance.change,
            performance.change_pct,
            performance.closing_high_since,
            {{ 'performance.streak' if kind == 'index' else 'cast(null as integer)' }} as streak,
            history.known_from
        from reading
        inner join {{ kind }}_performance as performance
            on
                reading.trade_date = performance.trade_date
                and reading.symbol = performance.symbol
        inner join {{ kind }}_history as history
            on performance.symbol = history.symbol
        where reading.kind = '{{ kind }}'

    ),

{% endfor %}
all_readings as (

    select * from index_reading

    union all

    select * from security_reading

)

select
    claim_id,
    reading,
    coalesce(name || ' (' || symbol || ')', symbol) as named,
    cast(
        case metric
            when 'close' then close
            when 'change' then change
            when 'change_pct' then change_pct
            when 'closing_high_since' then close
            when 'streak' then streak
        end as double
    ) as value,
    closing_high_since as high_since,
    known_from
from all_readings
