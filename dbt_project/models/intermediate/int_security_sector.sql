-- A security and a period in which it belongs to one sector. What is said of the single security
-- wins over its industry for the days it is said of.
with stated as (

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

-- The answer can change only where a statement begins, or on the day after one ends.
turn as (

    select
        symbol,
        valid_from as turn_date
    from stated

    union

    select
        symbol,
        cast({{ dbt.dateadd('day', 1, 'valid_to') }} as date) as turn_date
    from stated
    where valid_to < cast('9999-12-31' as date)

),

period as (

    select
        symbol,
        turn_date as valid_from,
        coalesce(
            cast({{ dbt.dateadd(
                'day', -1, 'lead(turn_date) over (partition by symbol order by turn_date)'
            ) }} as date),
            cast('9999-12-31' as date)
        ) as valid_to
    from turn

),

ranked as (

    select
        period.symbol,
        period.valid_from,
        period.valid_to,
        stated.sector,
        row_number() over (
            partition by period.symbol, period.valid_from
            order by stated.precedence asc, stated.valid_from desc, stated.sector asc
        ) as statement_rank
    from period
    inner join stated
        on
            period.symbol = stated.symbol
            and period.valid_from between stated.valid_from and stated.valid_to

)

select
    symbol,
    sector,
    valid_from,
    valid_to
from ranked
where statement_rank = 1
