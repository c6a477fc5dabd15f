"""`reports/explore.html`: the history of a release, to look at, as one page with all it needs.

Belongs here: which rows of the release the page holds, and how they become short. Does not belong
here: what the page does with them (`templates/explore.js`), the report of a day (`composition.py`).

The page is written once a release. Its charts are drawn by uPlot (`vendor/`, MIT licence).
"""

import base64
import hashlib
import json
import re
from collections.abc import Sequence
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb
from markupsafe import Markup

from dagster_project.home import Home, write_whole
from dagster_project.report.day import index_order
from dagster_project.report.environment import environment
from dagster_project.report.wording import REGION_NAMES, region_title
from dagster_project.warehouse.connection import dicts

PAGE = "explore.html"
# Securities of a region with a line of their own, the most traded ones, and the sessions of each.
SECURITIES_OF_REGION, SESSIONS = 150, 250
# Sessions in a heat map of sectors.
HEAT_SESSIONS = 120
# A price of a security is kept to a thousandth, of an index to a hundredth.
SECURITY_SCALE, INDEX_SCALE = 1000, 100
_EPOCH = date(1970, 1, 1)
_HERE = Path(__file__).parent


def write_explore(home: Home, con: duckdb.DuckDBPyConnection, colours: str) -> None:
    """Write the page, unless it is there of the same release and with the same colours."""
    file = home.reports / PAGE
    (release,) = con.execute("select max(release_id) from main.release").fetchone() or ("",)
    made_from = f"{release} {colours}"
    if file.exists() and _made_from(file) == made_from:
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    scripts = [
        (_HERE / "vendor/uPlot.iife.min.js").read_text(encoding="utf-8"),
        (_HERE / "templates/explore.js").read_text(encoding="utf-8"),
    ]
    page = environment.get_template("explore.html.j2").render(
        colours=colours,
        made_from=made_from,
        # A name that ends the element would end the data.
        data=Markup(json.dumps(explore_data(con), separators=(",", ":")).replace("<", "\\u003c")),
        style=Markup((_HERE / "vendor/uPlot.min.css").read_text(encoding="utf-8")),
        scripts=[Markup(script) for script in scripts],
        hashes=[
            base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
            for script in scripts
        ],
    )
    write_whole(file, page.encode())


def _made_from(file: Path) -> str | None:
    with file.open(encoding="utf-8", errors="replace") as page:
        said = re.search(r'data-made-from="([^"]*)"', page.read(1000))
    return said and said[1]


def explore_data(con: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    """All that the page shows; days are counted from 1970, and lists hold differences."""
    (release,) = dicts(con, "select release_id, clock from main.release order by 1 desc limit 1")
    places = _Places(con)
    data = {
        "release": release["release_id"],
        "clock": str(release["clock"]),
        "regions": {region: region_title(region) for region in REGION_NAMES},
        "indices": _indices(con, places),
        "sectors": _sectors(con),
        "turnover": _turnover(con),
        "breadth": _breadth(con),
        "connect": _connect(con),
        "securities": _securities(con, places),
        "map": _map(con),
    }
    return data | {"files": places.files}


class _Places:
    """Where values come from: runs of lines of files, `[count, file, line, step]`."""

    def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
        self._con = con
        self.files: list[str] = []
        self._numbers: dict[str, int] = {}

    def read(self, kind: str, symbols: Sequence[str], first: date) -> dict[str, dict[date, Any]]:
        """Symbol -> day -> file and line."""
        found: dict[str, dict[date, Any]] = {symbol: {} for symbol in symbols}
        for symbol, day, file, line in self._con.execute(
            """select symbol, trade_date, file, line_number from main.figure_origin
            where record_kind = ? and trade_date >= ? and is_chosen
            and symbol in (select unnest(?))""",
            [kind, first, list(symbols)],
        ).fetchall():
            found[symbol][day] = (file, line)
        return found

    def runs(self, days: Sequence[date], of: dict[date, Any]) -> list[list[int]]:
        """The places of a series; a day without a record has an empty name of a file."""
        runs: list[list[int]] = []
        for day in days:
            file, line = of.get(day, ("", 0))
            number = self._numbers.setdefault(file, len(self._numbers))
            if number == len(self.files):
                self.files.append(file)
            last = runs[-1] if runs else None
            if last and last[1] == number and last[0] == 1:
                last[3] = line - last[2]
                last[0] = 2
            elif last and last[1] == number and line == last[2] + last[0] * last[3]:
                last[0] += 1
            else:
                runs.append([1, number, line, 0])
        return runs


def _indices(con: duckdb.DuckDBPyConnection, places: _Places) -> list[dict[str, Any]]:
    rows = dicts(
        con,
        """select symbol, any_value(name) as name, any_value(region) as region,
            list(trade_date order by trade_date) as days,
            list(cast(close as double) order by trade_date) as closes
        from main.index_performance group by symbol""",
    )
    rows.sort(key=index_order)
    return _with_places(rows, "index_close", INDEX_SCALE, places)


def _sectors(con: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    """Region by region: sessions, and the changes of ranked sectors in hundredths of percent."""
    found = []
    for region in REGION_NAMES:
        days = [
            day
            for (day,) in con.execute(
                """select distinct trade_date from main.sector_performance
                where region = ? and level = 'sector' order by trade_date desc limit ?""",
                [region, HEAT_SESSIONS],
            ).fetchall()
        ][::-1]
        rows = dicts(
            con,
            """select s.sector, any_value(d.name) as name,
                map_from_entries(list((trade_date, change_pct))) as changes
            from main.sector_performance as s join main.dim_sector as d using (sector)
            where region = ? and level = 'sector' and trade_date >= ? and rank_best is not null
            group by s.sector order by name""",
            [region, days[0] if days else _EPOCH],
        )
        found.append(
            {
                "region": region,
                "days": _differences(map(_number, days)),
                "rows": [
                    {
                        "name": row["name"],
                        "changes": [_hundredths(row["changes"].get(day)) for day in days],
                    }
                    for row in rows
                ],
            }
        )
    return found


def _turnover(con: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    """Scope by scope, in hundredths of a billion yuan."""
    return _series(
        con,
        """select scope as name, trade_date as day, cast(turnover_cny as double) / 1e7 as value
        from main.cross_market_turnover where scope <> 'all' order by scope desc, trade_date""",
    )


def _breadth(con: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    """Market by market, the risers of those that moved, in hundredths of percent."""
    return _series(
        con,
        """select market as name, trade_date as day,
            1e4 * advancers / nullif(advancers + decliners, 0) as value
        from main.market_breadth order by market, trade_date""",
    )


def _connect(con: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    """Direction and channel, in hundredths of a billion of their currency."""
    return _series(
        con,
        """select concat_ws(' ', direction, channel, currency) as name, trade_date as day,
            cast(turnover as double) / 1e7 as value
        from main.connect_turnover order by name, trade_date""",
    )


def _series(con: duckdb.DuckDBPyConnection, query: str) -> list[dict[str, Any]]:
    found: dict[str, dict[str, list[Any]]] = {}
    for row in dicts(con, query):
        series = found.setdefault(row["name"], {"days": [], "values": []})
        series["days"].append(_number(row["day"]))
        series["values"].append(None if row["value"] is None else round(row["value"]))
    return [
        {"name": name, "days": _differences(series["days"]), "values": series["values"]}
        for name, series in found.items()
    ]


def _securities(con: duckdb.DuckDBPyConnection, places: _Places) -> list[dict[str, Any]]:
    """The most traded of late of each region, the first first; closes count ex-dates in."""
    rows = dicts(
        con,
        f"""with day as (
            select distinct trade_date from main.security_performance
            order by trade_date desc limit {SESSIONS}
        ), traded as (
            select symbol, row_number() over (
                partition by region
                order by sum(coalesce(turnover, close * volume)) desc nulls last, symbol
            ) as place
            from main.security_performance
            where trade_date in (select trade_date from day order by 1 desc limit 20)
            group by region, symbol
            qualify place <= {SECURITIES_OF_REGION}
        )
        select symbol, any_value(d.name_en) as name_en, any_value(d.name) as name,
            any_value(s.region) as region,
            list(trade_date order by trade_date) as days,
            list(cast(coalesce(close_adjusted, close) as double) order by trade_date) as closes
        from main.security_performance as s
        join main.dim_security as d using (symbol)
        join traded using (symbol)
        where trade_date in (select trade_date from day)
        group by symbol order by any_value(place), symbol""",
    )
    return _with_places(rows, "security_close", SECURITY_SCALE, places)


def _with_places(
    rows: list[dict[str, Any]], kind: str, scale: int, places: _Places
) -> list[dict[str, Any]]:
    """Series of closes, each close with the line of the record of a kind that it comes from."""
    if not rows:
        return []
    first = min(row["days"][0] for row in rows)
    origins = places.read(kind, [row["symbol"] for row in rows], first)
    return [
        {
            "symbol": row["symbol"],
            # A security has an English name too; an index has the one.
            "name": " ".join(dict.fromkeys(filter(None, (row.get("name_en"), row["name"])))),
            "region": row["region"],
            "days": _differences(map(_number, row["days"])),
            "closes": _differences(round(close * scale) for close in row["closes"]),
            "places": places.runs(row["days"], origins[row["symbol"]]),
        }
        for row in rows
    ]


def _map(con: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    """Region by region, the securities of its last session: change, turnover, capitalisation."""
    found = []
    for region in REGION_NAMES:
        (day,) = con.execute(
            "select max(trade_date) from main.security_performance where region = ?", [region]
        ).fetchone() or (None,)
        rows = con.execute(
            """select symbol, coalesce(d.name_en, s.name, symbol), coalesce(c.name, 'Others'),
                round(change_pct * 100), round(coalesce(s.turnover, close * volume) / 1e6),
                round(total_cap / 1e6)
            from main.security_performance as s
            left join main.dim_security as d using (symbol)
            left join main.dim_sector as c on c.sector = s.sector
            where s.region = ? and trade_date = ? and change_pct is not null and not is_outlier
            order by symbol""",
            [region, day],
        ).fetchall()
        found.append(
            {
                "region": region,
                "day": str(day),
                "rows": [
                    [*row[:3], *(None if value is None else int(value) for value in row[3:])]
                    for row in rows
                ],
            }
        )
    return found


def _number(day: date) -> int:
    return (day - _EPOCH).days


def _hundredths(value: float | None) -> int | None:
    return None if value is None else round(value * 100)


def _differences(values: Any) -> list[int]:
    """The first value, then the difference of each from the one before."""
    values = list(values)
    return values[:1] + [after - before for before, after in pairwise(values)]
