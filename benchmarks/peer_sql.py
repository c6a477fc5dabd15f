"""A peer of `scale.py`: the work of a load in plain DuckDB SQL, without lineage and checks.

    python benchmarks/peer_sql.py LANDING TARGET.duckdb FIRST LAST

Loads every file of the landing folder, and builds what analysts ask of a close: reference previous
close and change, return index, since when a close is the highest or lowest, sectors with their
leaders, turnover of the markets. It keeps no origins, rejects nothing, judges no price basis,
checks nothing and publishes nothing. `peer_pandas.py` builds the same tables.
"""

import sys
from pathlib import Path

import duckdb
import pandas as pd

PROJECT = Path(__file__).resolve().parent.parent
SEEDS = PROJECT / "seeds"

# In a search for a higher close this many sessions before are looked at first, where most answers
# are; then blocks of sessions, of which only the highest close is read.
NEAR = 32
BLOCK = 128
# More sessions than a series has: number of the symbol * this + number of the session is a key of
# one integer, on which all joins are quicker.
SESSIONS = 16384

CLOSES = """
create temp table delivered as
with eastmoney as (
    select
        日期 as trade_date,
        股票代码 || case when 股票代码[1] in ('6', '9') then '.SH' else '.SZ' end as symbol,
        收盘 as close,
        收盘 - 涨跌额 as reference_close,
        成交量 * 100 as volume,
        成交额 as turnover,
        20 as priority
    from read_csv('{landing}/eastmoney_a_share/*.csv', header = true, delim = ',', quote = '',
        columns = {{'日期': 'DATE', '股票代码': 'VARCHAR', '开盘': 'DOUBLE', '收盘': 'DOUBLE',
            '最高': 'DOUBLE', '最低': 'DOUBLE', '成交量': 'BIGINT', '成交额': 'DOUBLE',
            '振幅': 'DOUBLE', '涨跌幅': 'DOUBLE', '涨跌额': 'DOUBLE', '换手率': 'DOUBLE'}})
),
yahoo as (
    select
        trade_date,
        parse_filename(filename, true) as symbol,
        close,
        null::DOUBLE as reference_close,
        volume,
        null::DOUBLE as turnover,
        30 as priority
    from read_csv('{landing}/yahoo_hk/*.csv', header = false, skip = 3, delim = ',', quote = '',
        filename = true,
        columns = {{'trade_date': 'DATE', 'close': 'DOUBLE', 'high': 'DOUBLE', 'low': 'DOUBLE',
            'open': 'DOUBLE', 'volume': 'BIGINT'}})
    where close is not null
),
baostock as (
    select
        date as trade_date,
        code[4:] || '.' || upper(code[:2]) as symbol,
        close,
        preclose as reference_close,
        volume,
        amount as turnover,
        15 as priority
    from read_csv('{landing}/baostock_a_share/*.csv', header = true, delim = ',',
        types = {{'date': 'DATE', 'close': 'DOUBLE', 'preclose': 'DOUBLE', 'volume': 'BIGINT',
            'amount': 'DOUBLE'}})
),
tushare as (
    select
        strptime(trade_date, '%Y%m%d')::DATE as trade_date,
        ts_code as symbol,
        close,
        pre_close as reference_close,
        (vol * 100)::BIGINT as volume,
        amount * 1000 as turnover,
        10 as priority
    from read_csv('{landing}/tushare_daily/*.csv', header = true, delim = ',',
        types = {{'trade_date': 'VARCHAR', 'close': 'DOUBLE', 'pre_close': 'DOUBLE',
            'vol': 'DOUBLE', 'amount': 'DOUBLE'}})
),
preferred as (from baostock union all from tushare)
-- Of two feeds the better one counts. The better ones are small, so no sort of all rows is needed.
select * exclude (priority) from (
    from yahoo
    union all
    from eastmoney anti join preferred using (symbol, trade_date)
    union all
    from baostock anti join tushare using (symbol, trade_date)
    union all
    from tushare
)
where trade_date between '{first}' and '{last}' and symbol[-3:] in ('.SH', '.SZ', '.HK')
"""

# An adjustment of the reference close for a dividend or split multiplies all later returns.
CHAINED = f"""
create temp table chained as
with followed as (
    select
        symbol,
        trade_date,
        close,
        lag(close) over by_session as last_close,
        coalesce(reference_close, lag(close) over by_session) as previous_close,
        volume,
        turnover
    from delivered
    window by_session as (partition by symbol order by trade_date)
)
select
    * exclude (last_close),
    round(close * exp(sum(
        case
            when last_close > 0 and previous_close > 0 and last_close <> previous_close
                then ln(last_close / previous_close)
            else 0
        end
    ) over so_far), 6) as return_index,
    {SESSIONS} * symbol_number.number + row_number() over so_far as key
from followed join symbol_number using (symbol)
window so_far as (
    partition by symbol order by trade_date rows between unbounded preceding and current row
)
"""


def latest_at_or_beyond(closes: str, value: str) -> list[str]:
    """SQL of the table `<closes>_since`: the rows of a table with the latest earlier session whose
    value is at or above their own, and the latest whose value is at or below it.
    """

    def near(comparison: str) -> str:
        cases = " ".join(
            f"when lag({value}, {back}) over by_session {comparison} {value} "
            f"then lag(trade_date, {back}) over by_session"
            for back in range(1, NEAR + 1)
        )
        return f"case {cases} end"

    def far(side: str, top: str, comparison: str) -> str:
        return f"""
        create temp table far_{side} as
        with block_top as (
            select key // {SESSIONS} as number, key // {BLOCK} as block, {top}(value) as value
            from near group by all
        ),
        sought as (
            select key, key // {SESSIONS} as number, key // {BLOCK} as block, value from near
            where {side} is null and key % {SESSIONS} > {NEAR}
        ),
        in_block as (
            select sought.key, max(earlier.trade_date) as since
            from sought join near as earlier
                on sought.block = earlier.key // {BLOCK} and earlier.key < sought.key
                and earlier.value {comparison} sought.value
            group by sought.key
        ),
        beyond as (
            select sought.key, any_value(sought.value) as value, max(block_top.block) as block
            from (from sought anti join in_block using (key)) as sought join block_top
                on sought.number = block_top.number and block_top.block < sought.block
                and block_top.value {comparison} sought.value
            group by sought.key
        )
        from in_block
        union all
        select beyond.key, max(earlier.trade_date)
        from beyond join near as earlier
            on beyond.block = earlier.key // {BLOCK} and earlier.value {comparison} beyond.value
        group by beyond.key
        """

    return [
        f"""
        create or replace temp table near as
        select key, trade_date, {value} as value, {near(">=")} as high, {near("<=")} as low
        from {closes} window by_session as (partition by key // {SESSIONS} order by key)
        """,
        "drop table if exists far_high; drop table if exists far_low;",
        far("high", "max", ">="),
        far("low", "min", "<="),
        f"""
        create temp table {closes}_since as
        select near.key, coalesce(near.high, far_high.since) as closing_high_since,
            coalesce(near.low, far_low.since) as closing_low_since
        from near left join far_high using (key) left join far_low using (key)
        """,
    ]


SECURITIES = """
create table security_performance as
select
    chained.trade_date,
    chained.symbol,
    case chained.symbol[-2:] when 'SH' then 'XSHG' when 'SZ' then 'XSHE' else 'XHKG' end as market,
    if(chained.symbol[-2:] = 'HK', 'hong_kong', 'mainland') as region,
    reference.name,
    reference.sector,
    chained.close,
    chained.previous_close,
    round(chained.close - chained.previous_close, 6) as change,
    if(chained.previous_close > 0,
        round((chained.close / chained.previous_close - 1) * 100, 6), null) as change_pct,
    chained.volume,
    chained.turnover,
    chained.return_index,
    since.closing_high_since,
    since.closing_low_since
from chained
join chained_since as since using (key)
left join reference using (symbol)
"""

SECTORS = """
create table sector_performance as
with measured as (
    select trade_date, region, sector,
        count(*) as members,
        count(*) filter (where change_pct > 0) as advancers,
        count(*) filter (where change_pct < 0) as decliners,
        avg(change_pct) as change_pct,
        sum(turnover) as turnover,
        arg_max(symbol, change_pct) as top_symbol, max(change_pct) as top_change_pct,
        arg_min(symbol, change_pct) as bottom_symbol, min(change_pct) as bottom_change_pct
    from security_performance
    where sector is not null
    group by trade_date, region, sector
)
select *,
    row_number() over (partition by trade_date, region order by change_pct desc, sector)
        as rank_best,
    row_number() over (partition by trade_date, region order by change_pct, sector) as rank_worst
from measured;

create table sector_leaders_laggards as
select trade_date, region, 'leader' as side, rank_best as rank, sector, change_pct, top_symbol,
    top_change_pct
from sector_performance where rank_best <= 5 and change_pct is not null
union all
select trade_date, region, 'laggard', rank_worst, sector, change_pct, bottom_symbol,
    bottom_change_pct
from sector_performance where rank_worst <= 5 and change_pct is not null;

create table market_breadth as
select trade_date, market,
    count(*) filter (where change_pct > 0) as advancers,
    count(*) filter (where change_pct < 0) as decliners,
    sum(turnover) as turnover
from security_performance group by trade_date, market
"""

INDICES = """
create temp table index_close as
with read as (
    select case parse_filename(filename, true)
            when 'sh000001' then '000001.SH' when 'sh000300' then '000300.SH' else '399001.SZ' end
            as symbol,
        date as trade_date, close, amount as turnover, 10 as priority
    from read_csv('{landing}/baostock_index/*.csv', filename = true)
    union all
    select case parse_filename(filename, true) when 'hstech' then 'HSTECH' else '399006.SZ' end,
        date, close, null, 20
    from read_csv('{landing}/sina_index/*.csv', filename = true, union_by_name = true)
    union all
    select parse_filename(filename, true), column0, column4, null, 20
    from read_csv('{landing}/wsj_index/*.csv', filename = true, header = false, skip = 1,
        columns = {{'column0': 'DATE', 'column1': 'DOUBLE', 'column2': 'DOUBLE',
            'column3': 'DOUBLE', 'column4': 'DOUBLE'}}, dateformat = '%m/%d/%y')
    union all
    select parse_filename(filename, true), Date, Close, null, 30
    from read_csv('{landing}/yahoo_index/*.csv', filename = true)
)
select symbol, trade_date, close, lag(close) over by_session as previous_close, turnover,
    {sessions} * dense_rank() over (order by symbol) + row_number() over by_session as key
from (from read qualify row_number() over (partition by symbol, trade_date order by priority) = 1)
where trade_date <= '{last}' and close is not null
window by_session as (partition by symbol order by trade_date)
"""

TURNOVER = """
create table index_performance as
select index_close.* exclude (key), close - previous_close as change,
    (close / previous_close - 1) * 100 as change_pct, closing_high_since, closing_low_since
from index_close join index_close_since using (key)
where trade_date >= '{first}';

create table market_turnover as
select trade_date, if(symbol = '000001.SH', 'XSHG', 'XSHE') as market, turnover,
    lag(turnover) over by_session as previous_turnover,
    avg(turnover) over (by_session rows between 20 preceding and 1 preceding) as average_20d
from index_close where symbol in ('000001.SH', '399001.SZ')
window by_session as (partition by symbol order by trade_date);

create table cross_market_turnover as
select trade_date, sum(turnover) as turnover_cny,
    lag(sum(turnover)) over (order by trade_date) as previous_turnover_cny
from market_turnover group by trade_date having count(*) = 2
"""


def reference(landing: Path) -> pd.DataFrame:
    """One row per listed security: symbol, name, sector."""
    industries = pd.read_csv(SEEDS / "industry_sector.csv").set_index(["scheme", "industry"])
    own = pd.read_csv(SEEDS / "security_sector.csv").set_index("symbol")["sector"]
    frames = []
    for path in sorted(landing.glob("tushare_stock_list/*.csv")):
        frame = pd.read_csv(path, dtype=str).drop(columns="symbol")
        frames.append(frame.rename(columns={"ts_code": "symbol"}).assign(scheme=path.parent.name))
    for path in landing.glob("hsi_composite_list/*.xlsx"):
        frame = pd.read_excel(path, dtype=str).rename(
            columns={"Stock Code": "symbol", "Stock Name": "name", "Industry": "industry"}
        )
        frame = frame[frame["symbol"].str.isdecimal()].assign(scheme=path.parent.name)
        frame["symbol"] = frame["symbol"].str.zfill(4) + ".HK"
        frame["industry"] = frame["industry"].str.replace(r"([a-z])-([a-z])", r"\1\2", regex=True)
        frames.append(frame)
    listed = pd.concat(frames).drop_duplicates("symbol", keep="last")
    listed = listed.join(industries["sector"], on=["scheme", "industry"])
    listed["sector"] = listed["symbol"].map(own).fillna(listed["sector"])
    return listed[["symbol", "name", "sector"]]


def main(landing: Path, target: Path, first: str, last: str) -> None:
    """Load every file and build the tables."""
    values = {"landing": landing.as_posix(), "first": first, "last": last, "sessions": SESSIONS}
    with duckdb.connect(str(target)) as con:
        con.register("listed", reference(landing))
        con.execute("create temp table reference as from listed")
        con.execute(CLOSES.format(**values))
        con.execute(
            "create temp table symbol_number as select symbol, row_number() over () as number "
            "from (select distinct symbol from delivered)"
        )
        con.execute(CHAINED)
        con.execute("drop table delivered")
        for statement in latest_at_or_beyond("chained", "return_index"):
            con.execute(statement)
        con.execute(SECURITIES)
        con.execute(SECTORS)
        con.execute(INDICES.format(**values))
        for statement in latest_at_or_beyond("index_close", "close"):
            con.execute(statement)
        con.execute(TURNOVER.format(**values))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), *sys.argv[3:])
