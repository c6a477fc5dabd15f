"""Indices: the headline, how each index closed, and since when it was not seen so high or low."""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from functools import cached_property

import numpy as np

from dagster_project.report.drawing import Canvas, Chart, label_dates, points
from dagster_project.report.figures import Figure, Row, Text, direction, listed, say
from dagster_project.report.news import (
    INDUSTRY_INDICES,
    benchmarks_by_news,
    largest_since,
    notable_level,
    regions_by_news,
)
from dagster_project.report.section import Section
from dagster_project.report.tables import Column, Table, table
from dagster_project.report.wording import (
    REGION_NAMES,
    SHORT_NAMES,
    extreme,
    last_seen,
    level_last_seen,
    verb,
    weekday,
)

# Sessions in a row from which on a sentence counts them.
NOTABLE_STREAK = 3
# Other indices of a region that a sentence names; their figures are in the table.
TOLD_INDICES = 3
# Weekdays without a session that make a holiday of which the text speaks.
HOLIDAY_WEEKDAYS = 3


class Indices(Section):
    name = "indices"
    title = "Indices"
    order = 10

    # Rows

    @cached_property
    def rows(self) -> list[Row]:
        return self.day.indices

    @cached_property
    def benchmarks(self) -> dict[str, Row]:
        return benchmarks_by_news(self.day)

    def of_region(self, region: str) -> list[Row]:
        return [row for row in self.rows if row["region"] == region]

    def history(self, row: Row) -> list[tuple[date, float]]:
        """Session and close of an index over a year, which is one span for all charts."""
        return self.published.con.execute(
            """select trade_date, cast(close as double) from main.index_performance
            where symbol = ? and trade_date > ? - interval 1 year and trade_date <= ?
            order by trade_date""",
            [row["symbol"], self.day.trade_date, self.day.trade_date],
        ).fetchall()

    # Sentences

    def headline(self) -> Text:
        """`Hang Seng plunges 9.41 % while Shanghai jumps 4.59 % after the holiday`."""
        if not self.benchmarks:
            return say("Markets traded, but no file states the close of an index")
        (region, row), *others = self.benchmarks.items()
        if row["change_pct"] is None:
            return say("{name} closes at {close}", name=_short_name(row), close=_close(row))
        text = say("{name} {moves}", name=_short_name(row), moves=self._moves(region, row))
        level = notable_level(self.day, row)
        if level and level.years >= 1:
            text += say(" to {level}", level=level.clause())
        for other, other_row in others:
            if other_row["change_pct"] is not None:
                text += self._beside(row, other, other_row)
        return text

    def _moves(self, region: str, row: Row) -> Text:
        text = say("{verb}", verb=verb(row["change_pct"], present=True))
        if direction(row["change_pct"]):
            text += say(" {change}", change=row.figure("change_pct", "pct_size"))
        return (*text, " after the holiday") if self._is_after_holiday(region) else text

    def _beside(self, first: Row, region: str, row: Row) -> Text:
        """What a headline says of the other region."""
        name, moves = _short_name(row), self._moves(region, row)
        ways = direction(first["change_pct"]), direction(row["change_pct"])
        if moves[0] == verb(first["change_pct"], present=True) and ways[0]:
            return say(", {name}{moves}", name=name, moves=moves[1:])
        return say(
            " {and_} {name} {moves}",
            and_="as" if ways[0] == ways[1] else "while",
            name=name,
            moves=moves,
        )

    def lead(self) -> Iterable[Text]:
        for position, region in enumerate(regions_by_news(self.day)):
            row = self.benchmarks.get(region)
            if row is None:
                yield say(
                    "No file states the close of an index of {region}.",
                    region=REGION_NAMES[region],
                )
            else:
                yield self._benchmark(region, row, is_first=position == 0)

    def region_sentences(self, region: str) -> Iterable[Text]:
        others = [
            row
            for row in self.of_region(region)
            if row is not self.benchmarks.get(region)
            and row["change_pct"] is not None
            and row["symbol"] not in self.day.implausible_indices
            and not row["symbol"].startswith(INDUSTRY_INDICES)
        ]
        if not others:
            return
        others.sort(key=lambda row: -abs(row["change_pct"]))
        first, *less = others
        way = direction(first["change_pct"])
        alike = [row for row in less if direction(row["change_pct"]) == way][: TOLD_INDICES - 1]
        against = next((row for row in less if direction(row["change_pct"]) == -way != 0), None)
        text = say("{name} {change}", name=_capital(_name(first)), change=_changed(first))
        if alike:
            beside = {1: ", ahead of ", -1: ", more than ", 0: ", as "}[way]
            text += (beside, *listed(map(_name, alike)))
        if against:
            text += say("; {name} {change}", name=_name(against), change=_changed(against))
        yield (*text, ".")

    def _benchmark(self, region: str, row: Row, is_first: bool) -> Text:
        """The sentences about the index of a region; the first has the day and the points."""
        when = self._when(region) if is_first else ()
        parts = {"name": _capital(_name(row)), "close": _close(row), "when": when}
        if row["change_pct"] is None:
            return say(
                "{name} closed at {close}{when}; the warehouse has no close of the session before.",
                **parts,
            )
        if direction(row["change_pct"]) == 0:
            sentence = say("{name} closed unchanged at {close}{when}", **parts)
        else:
            points = say("{points} points, or ", points=row.figure("change", "points_size"))
            sentence = say(
                "{name} {verb} {points}{change}, to close at {close}{when}"
                if is_first
                else "{name} {verb} {change} to {close}",
                verb=verb(row["change_pct"]),
                points=points,
                change=row.figure("change_pct", "pct_size"),
                **parts,
            )
        if self._is_after_holiday(region):
            sentence += (" after the holiday",)
        level = notable_level(self.day, row)
        sentence += say(", {level}.", level=level.clause()) if level else (".",)
        return sentence + self._run(row)

    def _when(self, region: str) -> Text:
        markets = self.day.open_markets(region)
        day = weekday(self.day.trade_date)
        if any(self.day.sessions[market["market"]]["is_half_day"] for market in markets):
            return say(" in {day}'s shortened session", day=day)
        return say(" on {day}", day=day)

    def _is_after_holiday(self, region: str) -> bool:
        """Whether the region was closed on several weekdays until now."""
        (market, *_) = self.day.open_markets(region)
        last = self.day.last_sessions.get(market["market"])
        if last is None:
            return False
        between = np.busday_count(last["trade_date"], self.day.trade_date) - 1
        return bool(between >= HOLIDAY_WEEKDAYS)

    def _run(self, row: Row) -> Text:
        """How many sessions an index has gone the same way, and since when not as far in one."""
        way = direction(row["change_pct"])
        parts = []
        if way and abs(row["streak"] or 0) >= NOTABLE_STREAK:
            parts.append(say("its {number} in a row", number=row.figure("streak", "ordinal")))
        since = largest_since(self.day, row)
        if since:
            parts.append(say("its largest since {since}", since=since))
        if not parts:
            return ()
        return say(" The {what} was {parts}.", what="gain" if way > 0 else "fall",
                   parts=listed(parts))  # fmt: skip

    # Tables

    def glance(self) -> Table | None:
        columns = [Column("Index", "words"), Column("Close"), Column("Change")]
        rows = [
            (
                row.figure("name", "text"),
                _close(row),
                row.figure("change_pct", "pct"),
            )
            for row in self.rows
        ]
        return next(iter(table("glance", say("At the close"), columns, rows)), None)

    def tables(self) -> list[Table]:
        columns = [
            Column("Index", "words"),
            Column("Close"),
            Column("Points"),
            Column("Change"),
            Column("Close is the", "phrase"),
            Column("Five days"),
            Column("Twenty days"),
            Column("This year"),
        ]
        rows = [
            (
                row.figure("name", "text"),
                _close(row),
                row.figure("change", "points"),
                row.figure("change_pct", "pct"),
                last_seen(self.day, row),
                row.figure("return_5d_pct", "pct"),
                row.figure("return_20d_pct", "pct"),
                row.figure("return_ytd_pct", "pct"),
            )
            for row in self.rows
        ]
        return [
            *table("indices", say("The close"), columns, rows),
            *self._returns_table(),
        ]

    def _returns_table(self) -> list[Table]:
        periods = {
            "This week": "return_wtd_pct",
            "This month": "return_mtd_pct",
            "This quarter": "return_qtd_pct",
            "One year": "return_1y_pct",
        }
        return table(
            "returns",
            say("Since the end of last week, month and quarter, and a year ago"),
            [
                Column("Index", "words"),
                *map(Column, periods),
                Column("Low of a year"),
                Column("High of a year"),
            ],
            [
                (
                    row.figure("name", "text"),
                    *(row.figure(column, "pct") for column in periods.values()),
                    row.figure("low_52w", "level"),
                    row.figure("high_52w", "level"),
                )
                for row in self.rows
            ],
        )

    # Charts

    def lead_charts(self) -> list[Chart]:
        return self._charts([*self.benchmarks.values()])

    def charts(self) -> list[Chart]:
        shown = [*self.benchmarks.values()]
        return self._charts([row for row in self.rows if row not in shown])

    def _charts(self, rows: Sequence[Row]) -> list[Chart]:
        histories = [(row, self.history(row)) for row in rows]
        return [_chart(row, history) for row, history in histories if len(history) > 1]


def _short_name(row: Row) -> Text:
    """An index as the headline names it."""
    short = SHORT_NAMES.get(row["symbol"])
    return (short,) if short else (row.figure("name", "text"),)


def _name(row: Row) -> Text:
    """An index as a sentence names it."""
    return say("the {name}", name=row.figure("name", "text"))


def _changed(row: Row) -> Text:
    if direction(row["change_pct"]) == 0:
        return say("was unchanged")
    change = row.figure("change_pct", "pct_size")
    return say("{verb} {change}", verb=verb(row["change_pct"]), change=change)


def _close(row: Row) -> Figure:
    return row.figure("close", "level")


def _capital(text: Text) -> Text:
    """The same text, its first word as a sentence begins."""
    first, *rest = text
    assert isinstance(first, str)
    return (first[0].upper() + first[1:], *rest)


def _chart(row: Row, history: Sequence[tuple[date, float]]) -> Chart:
    """Closes of a year between their extremes, and the level of the close back to its last time."""
    canvas = Canvas()
    days, closes = [day for day, _ in history], [close for _, close in history]
    level = closes[-1]
    for extreme_column, value in (("low_52w", min(closes)), ("high_52w", max(closes))):
        # Where the record is shorter than a year, its extremes are no figures.
        if row[extreme_column] is not None and float(row[extreme_column]) == value:
            canvas.level(row.figure(extreme_column, "level"), days, value)
    column = level_last_seen(row)
    since = row[column] if column else None
    if column and since is not None:
        begin = {"day": str(max(since, days[0])), "value": level}
        colour = "var(--up)" if column == "closing_high_since" else "var(--down)"
        dashed = {"type": "line", "strokeWidth": 1.2, "strokeDash": [3, 3], "color": colour}
        canvas.layer(dashed, [begin, {"day": str(days[-1]), "value": level}])
        # A session before the span has no place in the drawing.
        if since >= days[0]:
            canvas.layer(
                {"type": "point", "size": 36, "color": colour, "strokeWidth": 1.6}, [begin]
            )
    canvas.layer(
        {"type": "line", "strokeWidth": 1.4, "color": "var(--line)"},
        points(history, {since} if since else set()),
    )
    end = {"day": str(days[-1]), "value": level}
    canvas.layer({"type": "circle", "size": 36, "color": "var(--ink)", "opacity": 1}, [end])
    canvas.end(_close(row), days[-1], level, fontWeight="bold")
    label_dates(canvas, row, days, min(closes))
    canvas.set_channel("y", scale={"zero": False, "nice": False})
    # One span for all charts, also of an index with a short record.
    year_ago = (days[-1] - timedelta(days=365)).isoformat()
    canvas.set_channel("x", scale={"domain": [year_ago, days[-1].isoformat()], "nice": False})
    name = f"chart-{row['symbol'].replace('.', '-').lower()}"
    title = say("{name}", name=row.figure("name", "text"))
    return Chart(name, title, _caption(row), canvas.spec(), canvas.labels)


def _caption(row: Row) -> Text:
    column = level_last_seen(row)
    if column is None or row[column] is None:
        return say("closes of a year")
    since = row.figure(column, "date")
    return say("closes of a year; {word} since {since}", word=extreme(column), since=since)
