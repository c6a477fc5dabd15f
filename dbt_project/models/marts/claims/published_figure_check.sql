{{ config(materialized='table') }}

{% set measures = {
    'close': 'close',
    'change': 'change',
    'change_pct': 'change',
    'closing_high_since': 'close',
    'streak': 'streak',
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
    'streak': ['is', 'is not'],
} %}

with verdict as (

    select * from {{ ref('int_claim_verdict') }}

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
            {{ number_text(number, 4) }} as {{ number }}_shown,
        {% endfor %}
        coalesce(
            'since ' || cast(high_since as string),
            'since its history begins on ' || cast(known_from as string)
        ) as since
    from verdict

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
        else {{ number_text('value', 6) }}
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
        when comparison = 'record'
            then
                named || ': the close of ' || day || ', ' || value_shown
                || ', was the highest ' || since || ', which is '
                || case when holds then 'a record since then.' else 'no record.' end
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
