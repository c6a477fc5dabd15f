{% set numeric = "('equals', 'nearly', 'truncates_to', 'over', 'under', 'streak')" %}

with claim as (

    select * from {{ ref('int_claim') }}

),

reading as (

    select * from {{ ref('int_claim_reading') }}

),

coverage as (

    select min(from_date) as begins from {{ source('raw', 'asked_dates') }}

),

parsed as (

    select
        *,
        case
            when comparison in {{ numeric }} then cast(published_value as decimal(24, 8))
        end as published,
        -- Brings the last digit published before the decimal point.
        cast(
            power(10, case
                when published_value like '%.%'
                    then length(published_value) - position('.' in published_value)
                else 0
            end) as decimal(10, 0)
        ) as scale,
        case
            when comparison = 'in_years'
                then cast({{ dbt.dateadd(
                    'month', '-cast(12 * cast(published_value as double) as integer)', 'trade_date'
                ) }} as date)
        end as years_before
    from claim

),

read_claim as (

    select
        parsed.*,
        coverage.begins as coverage_begins,
        reading.reading,
        reading.named,
        cast(reading.value as decimal(24, 8)) as value,
        reading.high_since,
        reading.known_from,
        reading.ranked,
        reading.change_pct,
        cast(reading.usual_low as decimal(24, 8)) as usual_low,
        cast(reading.usual_high as decimal(24, 8)) as usual_high
    from parsed
    cross join coverage
    left join reading
        on parsed.claim_id = reading.claim_id

),

checked as (

    select
        *,
        value is not null
        and case
            when comparison = 'since'
                then
                    high_since is not null
                    or substring(cast(known_from as string), 1, length(published_value))
                    < published_value
            when comparison = 'in_years'
                then high_since is not null or known_from <= years_before
            -- A history that begins with the covered dates says nothing of what was before.
            when comparison = 'record'
                then high_since is not null or known_from < coverage_begins
            when comparison in ('among_leaders', 'among_laggards') then ranked >= 3
            when comparison = 'muted' then usual_low is not null
            else true
        end as is_known,
        case
            when comparison in ('equals', 'nearly')
                then round(value * scale) = published * scale
            when comparison = 'truncates_to'
                then sign(value) * floor(abs(value) * scale) = published * scale
            when comparison = 'over' then value > published
            when comparison = 'under' then value < published
            when comparison = 'direction'
                then
                    published_value
                    = case when value > 0 then 'up' when value < 0 then 'down' else 'unchanged' end
            when comparison = 'since'
                then coalesce(cast(high_since as string) like published_value || '%', false)
            when comparison = 'in_years' then coalesce(high_since <= years_before, true)
            when comparison = 'record' then high_since is null
            when comparison = 'streak' then value = published
            when comparison in ('among_leaders', 'among_laggards') then value * 3 <= ranked
            when comparison = 'muted' then value between usual_low and usual_high
        end as holds
    from read_claim

),

-- A claim is right where one of its readings is, and wrong where none is and one can be checked.
ranked_reading as (

    select
        *,
        case
            when is_known and holds then 'confirmed'
            when is_known then 'contradicted'
            else 'no_data'
        end as verdict,
        row_number() over (
            partition by claim_id
            order by
                case when is_known and holds then 1 when is_known then 2 else 3 end,
                reading
        ) as choice,
        first_value(reading) over by_reading as literal_reading,
        first_value(named) over by_reading as literal_named,
        first_value(value) over by_reading as literal_value
    from checked
    window by_reading as (
        partition by claim_id order by reading
        rows between unbounded preceding and unbounded following
    )

)

select
    claim_id,
    source,
    trade_date,
    statement,
    subject_kind,
    subject,
    region,
    metric,
    comparison,
    published_value,
    unit,
    reading,
    named,
    value,
    high_since,
    known_from,
    ranked,
    change_pct,
    usual_low,
    usual_high,
    holds,
    verdict,
    literal_reading,
    literal_named,
    literal_value
from ranked_reading
where choice = 1
