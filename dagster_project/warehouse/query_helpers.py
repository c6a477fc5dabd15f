"""What an analyst's SQL calls: views of the last session, and macros over one series of levels.

Belongs here: the views `main.latest_<table>` and the macros `rebased`, `total_return` and `streak`,
stored in the warehouse. Does not belong here: records as of an earlier moment (`as_of.py`), tables
(dbt).

    from latest_index_performance
    from rebased('0700.HK', '2025-01-01')
    select total_return('HSI', '2024-12-31', '2025-09-17')
    from streak('000001.SH')

A level is the close of an index, and of a security `return_index`, so that dividends and splits
count. What a break in the record lies between is null: nobody can tell it.
"""

import duckdb

from dagster_project.warehouse.sql import literal

# Tables of figures by session -> the columns of what has sessions of its own: where only one region
# traded, the last session of the other stays.
_LATEST = {
    "index_performance": ["region"],
    "security_performance": ["market"],
    "sector_performance": ["region"],
    "sector_leaders_laggards": ["region"],
    "sector_index": ["region"],
    "market_turnover": ["market"],
    "market_breadth": ["market"],
    "cross_market_turnover": ["scope"],
}

# Table -> its column that is a level.
_LEVELS = " union all ".join(
    f"select {table}.symbol as of, trade_date, {level}::double as level, change_pct, record_begins "
    f"from main.{table}"
    for table, level in {
        "index_performance": "close",
        "security_performance": "return_index",
    }.items()
)

_REBASED = f"""
    with series as (select * from ({_LEVELS}) as levels where of = symbol),
    base as (
        select trade_date, level from series
        where trade_date = coalesce(
            (select max(trade_date) from series where trade_date <= from_date::date),
            (select min(trade_date) from series)
        )
    )
    select
        series.of as "symbol",
        series.trade_date,
        base.trade_date as base_date,
        case when base.trade_date >= series.record_begins
            then round(series.level / base.level * 100, 4) end as rebased
    from series cross join base
    where series.trade_date >= base.trade_date
    order by series.trade_date"""

_TOTAL_RETURN = f"""(
    with series as (select * from ({_LEVELS}) as levels where of = symbol),
    ends as (
        select
            (select max(trade_date) from series where trade_date <= from_date::date) as began,
            (select max(trade_date) from series where trade_date <= to_date::date) as ended
    )
    select case when first.trade_date >= last.record_begins
        then round((last.level / first.level - 1) * 100, 4) end
    from ends
    join series as first on first.trade_date = ends.began
    join series as last on last.trade_date = ends.ended)"""

_STREAK = f"""
    with series as (
        select *, sign(change_pct)::integer as direction,
            row_number() over (order by trade_date desc) as back
        from ({_LEVELS}) as levels where of = symbol
    ),
    run as (
        select * from series
        where back < coalesce(
            (
                select min(back) from series
                where direction is distinct from (select direction from series where back = 1)
            ),
            (select count(*) + 1 from series)
        )
    )
    select
        min(of) as "symbol",
        max(trade_date) as trade_date,
        case when min(direction) = 0 then 0 else (min(direction) * count(*))::integer end as streak,
        min(trade_date) as began,
        case when count(change_pct) = count(*)
            then round((product(1 + change_pct / 100) - 1) * 100, 4) end as change_pct
    from run having count(*) > 0"""

_MACROS = {
    "rebased(symbol, from_date)": (
        f"table {_REBASED}",
        "The level of an index or security at each session from a date on, 100 at the last session "
        "on or before the date (base_date), or at its first. Of a security dividends and splits "
        "count. Null before a break in its record.",
    ),
    "total_return(symbol, from_date, to_date)": (
        _TOTAL_RETURN,
        "Change of an index or security in percent, from the last session on or before one date to "
        "the last on or before another. Of a security dividends and splits count. Null where it "
        "has no session so early, or its record has a break between them.",
    ),
    "streak(symbol)": (
        f"table {_STREAK}",
        "How many sessions in a row, up to the last, an index or security rose (positive) or fell "
        "(negative), since when (began), and by how much in all, in percent. 0 where its last "
        "change is 0, null where that is not known.",
    ),
}


def create_query_helpers(con: duckdb.DuckDBPyConnection) -> None:
    """Create or replace the views and macros and their comments; the marts must exist."""
    for signature, (body, comment) in _MACROS.items():
        con.execute(f"create or replace macro main.{signature} as {body}")
        name = signature.split("(")[0]
        kind = "macro table" if body.startswith("table") else "macro"
        con.execute(f"comment on {kind} main.{name} is {literal(comment)}")
    for table, of in _LATEST.items():
        view = f"main.latest_{table}"
        con.execute(f"""
            create or replace view {view} as
            select figures.* from main.{table} as figures
            semi join (
                select {", ".join(of)}, max(trade_date) as trade_date from main.{table} group by all
            ) as latest using ({", ".join([*of, "trade_date"])})""")
        comment = f"Rows of {table} of the last session of each {' and '.join(of)}."
        con.execute(f"comment on view {view} is {literal(comment)}")
        described = con.execute(
            "select column_name, comment from duckdb_columns() "
            "where schema_name = 'main' and table_name = ? and comment is not null", [table],
        ).fetchall()  # fmt: skip
        for column, text in described:
            con.execute(f'comment on column {view}."{column}" is {literal(text)}')
