"""Origins: the records of delivered files behind the figures of a report.

Belongs here: which records a row of a published table was made from, and the words for them.
Does not belong here: the figures themselves (`figures.py`), how a page shows an origin.

A row of a mart is made from records of `main.figure_origin`: an index's close from one line of one
file, its change also from the line of the session before, a sector's from those of its members.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from dagster_project.report.figures import Figure, RowKey, UnknownFigure
from dagster_project.report.published import KEYS, Published

# Endings of columns that are units.
_UNITS = {"_pct": "percent", "_cny": "yuan", "_hkd": "Hong Kong dollars", "_usd": "US dollars"}
# The rest is only counted: a sector of a whole market has hundreds of records.
NAMED = 6


@dataclass(frozen=True)
class Record:
    """A line of a delivered file and what it says: a row of `main.figure_origin`."""

    kind: str
    symbol: str
    trade_date: date
    segment: str
    feed: str
    file: str
    sha256: str
    line: int

    def in_words(self) -> str:
        return (
            f"{self.symbol} {self.trade_date}: feed {self.feed}, file {self.file} "
            f"line {self.line}, SHA-256 {self.sha256[:12]}…"
        )


@dataclass(frozen=True)
class Wanted:
    """A record that a row is made from."""

    kind: str
    symbol: str
    day: date | None
    """None where the row has no such day."""
    segment: str | None = None
    """Segment of the market, broker or event; None for any."""


class Origins:
    """The records behind rows of one published file; each is read once."""

    def __init__(self, published: Published) -> None:
        self._published = published
        self._records: dict[tuple[str, str, date], list[Record]] = {}
        self._latest: dict[tuple[str, date], list[tuple[str, date]]] = {}
        self._members: dict[date, dict[tuple[str, str, str], list[str]]] = {}

    def prepare(self, rows: Iterable[RowKey]) -> None:
        """Read the records behind many rows with one query.

        Raises:
            UnknownFigure: the release does not have one of the rows.
        """
        self._read(want for row in rows for want in self._wanted(row))

    def in_short(self, figure: Figure) -> str:
        """A sentence for a reader who points at a figure: what it is, and the lines it is from.

        `Change in percent of HSI on 17 September 2025: 1.777291. From line 255 of …`
        """
        reference = figure.reference
        text = f"{_measure_in_words(reference.measure)}{_key_in_words(reference.row)}"
        if not (figure.is_words or figure.value is None):
            text += f": {figure.value}"
        records = self._behind_measure(reference.row, reference.measure)
        if len(records) > 2:
            return f"{text}. From {len(records)} lines, the first: {_place(records[0])}."
        places = " and ".join(_place(record) for record in records)
        return f"{text}. From {places}." if places else f"{text}."

    def in_full(self, row: RowKey) -> list[str]:
        """Lines that name a row and the records behind it."""
        records = self.behind(row)
        lines = [row.in_words(), *(record.in_words() for record in records[:NAMED])]
        if len(records) > NAMED:
            lines.append(f"and {len(records) - NAMED} more")
        return lines

    def behind(self, row: RowKey) -> list[Record]:
        """The records behind a row, the latest first; empty where it is made from none."""
        return self._found(self._wanted(row))

    def _behind_measure(self, row: RowKey, measure: str) -> list[Record]:
        """The records behind one cell; where the row has several dates, those of the cell's own."""
        if row.table in _FIRST_DAY and measure != _FIRST_DAY[row.table][1]:
            return []  # of a list or a seed, not of that day's close
        wanted = self._wanted(row)
        if "trade_date" in dict(row.key) and row.table in (
            "index_performance",
            "security_performance",
        ):
            own = _day(row)
            before, since = (
                self._published.value(row, column) if column in _columns_of(measure) else None
                for column in ("previous_trade_date", measure)
            )
            days = {own, before, since}
            if measure == "previous_close":
                days = {before}
            if measure == "record_begins":
                days = {since}
            wanted = [want for want in wanted if want.day in days]
        return self._found(wanted)

    def _wanted(self, row: RowKey) -> list[Wanted]:
        """Kind, symbol and date of the records that a row is made from."""
        if row.table in _FIRST_DAY and "trade_date" not in dict(row.key):
            kind, measure = _FIRST_DAY[row.table]
            wanted = [Wanted(kind, row["symbol"], self.value(row, measure))]
        else:
            find = _WANTED.get(row.table)
            # No records are listed for a count over many rows.
            if find is None or {column for column, _ in row.key} != set(KEYS[row.table]):
                return []
            wanted = find(self, row)
        return wanted

    def _found(self, wanted: Sequence[Wanted]) -> list[Record]:
        self._read(wanted)
        return [
            record
            for want in wanted
            if want.day
            for record in self._records[want.kind, want.symbol, want.day]
            if want.segment in (None, record.segment)
        ]

    def _read(self, wanted: Iterable[Wanted]) -> None:
        keys = {(want.kind, want.symbol, want.day) for want in wanted if want.day}
        missing = sorted(keys - self._records.keys())
        if not missing:
            return
        self._records.update({key: [] for key in missing})
        days = sorted({day for _, _, day in missing})
        # The days, as they are, let the view skip all others.
        for values in self._published.con.execute(
            f"""with wanted as (
                select unnest($kinds) as record_kind, unnest($symbols) as symbol,
                    unnest($days) as trade_date
            )
            select record_kind, symbol, trade_date, coalesce(segment, ''), feed, file,
                file_sha256, line_number
            from main.figure_origin semi join wanted using (record_kind, symbol, trade_date)
            where is_chosen
            and trade_date in ({", ".join(f"date '{day}'" for day in days)})
            order by record_kind, symbol, segment, file, line_number""",
            {
                "kinds": [kind for kind, _, _ in missing],
                "symbols": [symbol for _, symbol, _ in missing],
                "days": [day for _, _, day in missing],
            },
        ).fetchall():
            record = Record(*values)
            self._records[record.kind, record.symbol, record.trade_date].append(record)

    def value(self, row: RowKey, column: str) -> Any:
        return self._published.value(row, column)

    def latest(self, kind: str, day: date) -> list[tuple[str, date]]:
        """Symbols of a kind that have a record in the week up to a day, and its date."""
        if (kind, day) not in self._latest:
            self._latest[kind, day] = self._published.con.execute(
                """select symbol, max(trade_date) from main.figure_origin
                where record_kind = $kind and is_chosen
                and trade_date between $since and $day
                group by symbol order by symbol""",
                {"kind": kind, "since": day - timedelta(7), "day": day},
            ).fetchall()
        return self._latest[kind, day]

    def markets(self, scope: str) -> list[str]:
        """The markets of a scope of turnover."""
        found = self._published.con.execute(
            "select market from main.dim_market where ? in ('all', region) order by market",
            [scope],
        ).fetchall()
        return [market for (market,) in found]

    def members(self, row: RowKey) -> list[str]:
        """Symbols of the securities that a sector, a basket or a market's breadth is made from."""
        day = _day(row)
        if day not in self._members:
            self._members[day] = self._groups(day)
        if row.table == "market_breadth":
            return self._members[day].get(("breadth", "", row["market"]), [])
        return self._members[day].get((row["level"], row["region"], row["sector"]), [])

    def _groups(self, day: date) -> dict[tuple[str, str, str], list[str]]:
        """Symbols by level, region and group on a day."""
        groups: dict[tuple[str, str, str], list[str]] = defaultdict(list)
        for symbol, market, region, sector, industry, baskets in self._published.con.execute(
            """select symbol, market, region, sector, industry,
                coalesce((select list(basket) from seed.basket_member as member
                    where member.symbol = security.symbol
                    and security.trade_date >= member.valid_from
                    and (member.valid_to is null or security.trade_date <= member.valid_to)
                ), [])
            from main.security_performance as security where trade_date = ?
            order by symbol""",
            [day],
        ).fetchall():
            groups["breadth", "", market].append(symbol)
            groups["market", region, region].append(symbol)
            groups["sector", region, sector].append(symbol)
            groups["industry", region, industry].append(symbol)
            for basket in baskets:
                groups["basket", region, basket].append(symbol)
        return groups


def _place(record: Record) -> str:
    return f"line {record.line} of {record.file}"


def _measure_in_words(measure: str) -> str:
    """`Change in percent` for `change_pct`."""
    if measure == "count(*)":
        return "Number of rows"
    words = measure
    for ending, unit in _UNITS.items():
        words = re.sub(rf"{ending}\b", f" in {unit}", words)
    return words.replace("_", " ").capitalize()


def _key_in_words(row: RowKey) -> str:
    """` of HSI on 17 September 2025`, of the key of a row."""
    days = {
        column: date.fromisoformat(value)
        for column, value in row.key
        if re.fullmatch(r"\d{4}-\d\d-\d\d", value)
    }
    of = ", ".join(value.replace("_", " ") for column, value in row.key if column not in days)
    on = " and ".join(f"{day.day} {day:%B %Y}" for day in days.values())
    return (f" of {of}" if of else "") + (f" on {on}" if on else "")


def _columns_of(measure: str) -> tuple[str, ...]:
    """The columns with the dates of other sessions that a measure of a close is made from."""
    if measure.endswith("_since") or measure == "record_begins":
        return (measure,)
    if measure in ("previous_close", "change", "change_pct"):
        return ("previous_trade_date",)
    return ()


def _day(row: RowKey, column: str = "trade_date") -> date:
    try:
        return date.fromisoformat(row[column])
    except ValueError:
        raise UnknownFigure(f"{row[column]!r} in {row} is no date") from None


Find = Callable[[Origins, RowKey], list[Wanted]]


def _of_close(kind: str, *since: str) -> Find:
    """A close and the closes of the sessions that its row names, also in the columns `since`."""

    def find(origins: Origins, row: RowKey) -> list[Wanted]:
        columns = ("previous_trade_date", "closing_high_since", "closing_low_since", *since)
        others = {origins.value(row, column) for column in columns} - {None}
        days = [_day(row), *sorted(others, reverse=True)]
        return [Wanted(kind, row["symbol"], day) for day in days]

    return find


def _of_members(origins: Origins, row: RowKey) -> list[Wanted]:
    return [Wanted("security_close", symbol, _day(row)) for symbol in origins.members(row)]


def _of_turnover(origins: Origins, row: RowKey) -> list[Wanted]:
    return _turnovers([row["market"]], origins, _day(row))


def _of_scope(origins: Origins, row: RowKey) -> list[Wanted]:
    return _turnovers(origins.markets(row["scope"]), origins, _day(row))


def _turnovers(markets: Iterable[str], origins: Origins, day: date) -> list[Wanted]:
    turnovers = [Wanted("market_turnover", market, day) for market in markets]
    # Turnover in another currency is made with the latest exchange rates of the week.
    return turnovers + [
        Wanted("exchange_rate", symbol, latest)
        for symbol, latest in origins.latest("exchange_rate", day)
    ]


def _of_event(origins: Origins, row: RowKey) -> list[Wanted]:
    event_day = _day(row, "event_date")
    session = origins.value(row, "trade_date")
    return [
        Wanted("market_event", row["basket"], event_day, row["event_id"]),
        Wanted("index_close", origins.value(row, "benchmark"), session),
    ]


def _of_target(origins: Origins, row: RowKey) -> list[Wanted]:
    published = _day(row, "target_date")
    session = origins.value(row, "close_date")
    return [
        Wanted("broker_target", row["symbol"], published, row["broker"]),
        Wanted("security_close", row["symbol"], session),
    ]


def _of_claim(origins: Origins, row: RowKey) -> list[Wanted]:
    """What a claim was compared with; only for claims about one symbol."""
    day, symbol = origins.value(row, "trade_date"), origins.value(row, "symbol")
    kinds = ("index_close", "security_close")
    if origins.value(row, "metric") == "target_price":
        kinds = ("broker_target", "security_close")
    return [Wanted(kind, symbol, day) for kind in kinds] if symbol else []


# Tables without a trade date in the key: the record of the first day.
_FIRST_DAY = {
    "dim_security": ("security_close", "first_trade_date"),
}
_WANTED: dict[str, Find] = {
    "index_performance": _of_close(
        "index_close", "record_begins", "change_high_since", "change_low_since"
    ),
    "security_performance": _of_close("security_close"),
    "sector_performance": _of_members,
    "market_breadth": _of_members,
    "market_turnover": _of_turnover,
    "cross_market_turnover": _of_scope,
    "event_reaction": _of_event,
    "target_price": _of_target,
    "published_figure_check": _of_claim,
}
