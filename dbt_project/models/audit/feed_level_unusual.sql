-- One share may trade ten times its usual volume; half of the shares of a feed do not.
with level as (
    select
        feed,
        market,
        trade_date,
        file_id,
        line_number,
        'volume' as figure,
        volumes as securities,
        volume_growth as growth
    from {{ ref('int_feed_session') }}
    union all
    select
        feed,
        market,
        trade_date,
        file_id,
        line_number,
        'turnover' as figure,
        turnovers as securities,
        turnover_growth as growth
    from {{ ref('int_feed_session') }}
)

select
    'security_close' as record_kind,
    level.feed,
    level.market as symbol,
    level.trade_date,
    file.path as file,
    level.line_number,
    'half of its ' || level.securities || ' securities of ' || level.market || ' have a '
    || level.figure || ' of ' || round(level.growth, 3)
    || ' × that of the session before, or further from it' as what
from level
inner join {{ source('raw', 'file') }} as file on level.file_id = file.file_id
where
    level.trade_date >= {{ changed_from() }}
    and level.securities >= {{ setting('securities') }}
    and (level.growth > {{ setting('factor') }} or level.growth < 1 / {{ setting('factor') }})
order by level.trade_date desc, level.feed asc, level.market asc, level.figure asc
