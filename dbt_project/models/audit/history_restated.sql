{% set looked_back_on = [] %}
{% for name, kind in record_kinds().items() if kind["is_looked_back_on"] %}
    {% do looked_back_on.append("'" ~ name ~ "'") %}
{% endfor %}

-- Figures look back on records of some kinds from before the covered dates too. A few of these are
-- nothing: a vendor's window of sessions moves on each night.
-- Vendors correct the last session before the clock every day: it is left out. A list of securities
-- has no dates: only a changed industry counts.
with clock as (
    select max(to_date) as last_date
    from {{ source('raw', 'asked_dates') }}
),

recent as (
    select max(session.trade_date) as trade_date
    from {{ ref('dim_session') }} as session
    inner join clock on session.trade_date <= clock.last_date
),

known_file as (
    select
        file_id,
        path
    from {{ source('raw', 'file') }}
    union
    select
        file_id,
        path
    from {{ source('raw', 'file_superseded') }}
),

restated as (
    select
        record.*,
        known_file.path as file
    from {{ ref('restated_record') }} as record
    left join known_file on record.file_id = known_file.file_id
)

select
    restated.record_kind,
    restated.feed,
    restated.about as symbol,
    min(restated.trade_date) as trade_date,
    restated.file,
    count(*) || ' earlier record(s) of ' || restated.about || ', ' || min(restated.trade_date)
    || ' to ' || max(restated.trade_date) || ', are restated, or no longer reported'
        as what
from restated
left join {{ source('raw', 'asked_dates') }} as asked
    on restated.trade_date between asked.from_date and asked.to_date
where
    restated.record_kind <> 'market_event'
    and restated.trade_date < (select recent.trade_date from recent)
    and (
        asked.from_date is not null
        or restated.record_kind in ({{ looked_back_on | join(", ") }})
    )
group by restated.record_kind, restated.feed, restated.about, restated.file
having count(asked.from_date) > 0 or count(*) >= 20

union all

select
    record_kind,
    feed,
    about,
    trade_date,
    file,
    case
        when record_kind = 'market_event'
            then
                'the event of ' || trade_date || ' for ' || basket
                || ' is restated, or no longer reported'
        when file_id_now is null then 'is no longer in the list'
        else 'industry '
            || coalesce(industry_now, 'none')
            || ' after '
            || coalesce(industry, 'none')
    end as what
from restated
where
    record_kind = 'market_event'
    or (
        record_kind = 'security_reference'
        and (file_id_now is null or industry_now is distinct from industry)
    )
order by trade_date nulls last, file
