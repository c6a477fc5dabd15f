-- Names of a name history; of securities without one, those that the files of the day state.
with clock as (

    select max(to_date) as trade_date
    from {{ source('raw', 'asked_dates') }}

),

history as (

    select
        symbol,
        name,
        valid_from
    from {{ ref('int_security_name') }}

),

with_history as (

    select distinct symbol from history

),

named as (

    select
        closes.feed,
        closes.symbol,
        closes.trade_date,
        closes.name
    from {{ ref('stg_security_close') }} as closes
    left join with_history
        on closes.symbol = with_history.symbol
    where
        closes.name is not null
        and not {{ has_mark_of_day('closes.name') }}
        and with_history.symbol is null

),

reported as (

    {{ from_best_feed('named', ['symbol', 'trade_date']) | indent(4) }}

),

compared as (

    select
        symbol,
        name,
        trade_date as valid_from,
        lag(name) over (partition by symbol order by trade_date) as previous_name
    from reported

),

beginning as (

    select
        history.symbol,
        history.name,
        history.valid_from
    from history
    inner join clock on history.valid_from <= clock.trade_date

    union all

    select
        symbol,
        name,
        valid_from
    from compared
    where previous_name is null or previous_name <> name

),

period as (

    select
        symbol,
        name,
        valid_from,
        cast({{ dbt.dateadd(
            'day', -1, 'lead(valid_from) over (partition by symbol order by valid_from)'
        ) }} as date) as valid_to,
        last_value(name) over (
            partition by symbol
            order by valid_from
            rows between unbounded preceding and unbounded following
        ) as present_name
    from beginning

)

select
    symbol,
    name,
    valid_from,
    valid_to
from period
where name <> present_name
