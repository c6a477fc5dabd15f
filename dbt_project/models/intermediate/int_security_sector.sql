-- A sector given to the security itself takes precedence over that of its industry, on its days.
with assignment as (

    select
        symbol,
        sector,
        valid_from,
        coalesce(valid_to, cast('9999-12-31' as date)) as valid_to,
        1 as precedence
    from {{ ref('security_sector') }}

    union all

    select
        reference.symbol,
        mapping.sector,
        mapping.valid_from,
        coalesce(mapping.valid_to, cast('9999-12-31' as date)) as valid_to,
        2 as precedence
    from {{ ref('int_security_reference') }} as reference
    inner join {{ ref('industry_sector') }} as mapping
        on
            reference.reference_feed = mapping.scheme
            and reference.industry = mapping.industry

),

-- The sector can change only where an assignment begins, or on the day after one ends.
change as (

    select
        symbol,
        valid_from as change_date
    from assignment

    union

    select
        symbol,
        cast({{ dbt.dateadd('day', 1, 'valid_to') }} as date) as change_date
    from assignment
    where valid_to < cast('9999-12-31' as date)

),

period as (

    select
        symbol,
        change_date as valid_from,
        coalesce(
            cast({{ dbt.dateadd(
                'day', -1, 'lead(change_date) over (partition by symbol order by change_date)'
            ) }} as date),
            cast('9999-12-31' as date)
        ) as valid_to
    from change

),

ranked as (

    select
        period.symbol,
        period.valid_from,
        period.valid_to,
        assignment.sector,
        row_number() over (
            partition by period.symbol, period.valid_from
            order by assignment.precedence asc, assignment.valid_from desc, assignment.sector asc
        ) as assignment_rank
    from period
    inner join assignment
        on
            period.symbol = assignment.symbol
            and period.valid_from between assignment.valid_from and assignment.valid_to

)

select
    symbol,
    sector,
    valid_from,
    valid_to
from ranked
where assignment_rank = 1
