{{ config(materialized='table') }}

{% set measures = {
    'close': 'close',
    'change': 'change',
    'change_pct': 'change',
    'closing_high_since': 'close',
    'rank': 'change',
    'reaction': 'response to an event',
    'target_price': 'target price',
    'turnover_cny': 'whole turnover',
    'turnover_hkd': 'whole turnover',
    'previous_turnover_cny': 'whole turnover of the day before',
} %}
{% set relations = {
    'equals': ['rounds to', 'does not round to'],
    'nearly': ['rounds to', 'does not round to'],
    'truncates_to': ['cut after its last digit is', 'cut after its last digit is not'],
    'over': ['is over', 'is not over'],
    'under': ['is under', 'is not under'],
    'direction': ['is', 'is not'],
} %}
{% set numeric = "('equals', 'nearly', 'truncates_to', 'over', 'under')" %}

with claim as (

    select claim.*
    from {{ ref('published_claim') }} as claim
    inner join {{ source('raw', 'asked_dates') }} as asked
        on claim.trade_date between asked.from_date and asked.to_date

),

read_claim as (

    select
        claim.*,
        reading.reading,
        reading.named,
        cast(reading.value as decimal(24, 8)) as value,
        reading.high_since,
        reading.known_from,
        reading.ranked,
        reading.change_pct,
        cast(reading.usual_low as decimal(24, 8)) as usual_low,
        cast(reading.usual_high as decimal(24, 8)) as usual_high,
        case
            when claim.comparison in {{ numeric }}
                then cast(claim.published_value as decimal(24, 8))
        end as published,
        -- Brings the last digit published before the decimal point.
        cast(
            power(10, case
                when claim.published_value like '%.%'
                    then length(claim.published_value) - position('.' in claim.published_value)
                else 0
            end) as decimal(10, 0)
        ) as scale,
        case
            when claim.comparison = 'in_years'
                then cast({{ dbt.dateadd(
                    'month',
                    '-cast(12 * cast(claim.published_value as double) as integer)',
                    'claim.trade_date'
                ) }} as date)
        end as years_before
    from claim
    left join {{ ref('int_claim_reading') }} as reading
        on claim.claim_id = reading.claim_id

),

judged as (

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
            when comparison in ('among_leaders', 'among_laggards') then value * 3 <= ranked
            when comparison = 'muted' then value between usual_low and usual_high
        end as holds
    from read_claim

),

-- A claim is right where one of its readings is, and wrong where none is and one can be told.
ranked as (

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
    from judged
    window by_reading as (
        partition by claim_id order by reading
        rows between unbounded preceding and unbounded following
    )

),

worded as (

    select
        *,
        cast(trade_date as string) as day,
        case unit when 'percent' then ' %' else coalesce(' ' || unit, '') end as unit_sign,
        case metric
            {% for metric, words in measures.items() %}
                when '{{ metric }}' then '{{ words }}'
            {% endfor %}
        end as measure,
        case comparison
            {% for comparison, words in relations.items() %}
                when '{{ comparison }}'
                    then case when holds then '{{ words[0] }}' else '{{ words[1] }}' end
            {% endfor %}
        end as relation,
        {% for number in ['value', 'change_pct', 'usual_low', 'usual_high', 'literal_value'] %}
            regexp_replace(cast(cast({{ number }} as decimal(24, 4)) as string), '[.]?0+$', '')
                as {{ number }}_shown,
        {% endfor %}
        coalesce(
            'since ' || cast(high_since as string),
            'since its history begins on ' || cast(known_from as string)
        ) as since
    from ranked
    where choice = 1

)

select
    claim_id,
    source,
    trade_date,
    statement,
    case when subject_kind in ('index', 'security') then subject end as symbol,
    case when subject_kind in ('sector', 'basket') then subject_kind end as level,
    case when subject_kind in ('sector', 'basket') then subject end as sector,
    case when subject_kind = 'scope' then subject end as scope,
    region,
    metric,
    comparison,
    published_value,
    unit,
    case
        when verdict = 'no_data' then null
        when metric = 'closing_high_since' then cast(high_since as string)
        else regexp_replace(cast(cast(value as decimal(24, 6)) as string), '[.]?0+$', '')
    end as actual_value,
    named as read_as,
    verdict,
    case
        when value is null
            then subject || ': no file gives its ' || measure || ' for ' || day || '.'
        when verdict = 'no_data' and metric = 'closing_high_since'
            then
                named || ': its history begins on ' || cast(known_from as string)
                || ', too late to tell.'
        when verdict = 'no_data' and metric = 'rank'
            then named || ': fewer than three groups are ranked on ' || day || '.'
        when verdict = 'no_data'
            then named || ': too few sessions before ' || day || ' tell what is usual.'
        when comparison = 'since'
            then
                named || ': the close of ' || day || ', ' || value_shown
                || ', was the highest ' || since || ', which is '
                || case when holds then 'in ' else 'not in ' end || published_value || '.'
        when comparison = 'in_years'
            then
                named || ': the close of ' || day || ', ' || value_shown
                || ', was the highest ' || since || ', which is '
                || case when holds then 'at least ' else 'less than ' end || published_value
                || ' years before.'
        when metric = 'rank'
            then
                named || ': change ' || change_pct_shown || ' % on ' || day || ', number '
                || value_shown || ' of ' || cast(ranked as string) || ' from the '
                || case comparison when 'among_leaders' then 'best' else 'worst' end
                || ', which is ' || case when holds then 'within' else 'beyond' end
                || ' the first third.'
        when metric = 'reaction'
            then
                named || ': ' || value_shown || ' percent points on ' || day
                || ', which is ' || case when holds then 'inside' else 'outside' end
                || ' the usual range of ' || usual_low_shown || ' to '
                || usual_high_shown || '.'
        else
            named || ': ' || measure || ' ' || value_shown || unit_sign || ' on ' || day
            || ', which ' || relation || ' ' || published_value
            || case
                when reading <> literal_reading and literal_value is not null
                    then
                        '; ' || literal_named || ' itself: ' || literal_value_shown
                        || unit_sign
                else ''
            end
            || '.'
    end as explanation
from worded
