"""Indices: the headline, how each index closed, and since when it was not seen so high or low."""

from collections.abc import Iterable, Sequence
from datetime import date
from functools import cached_property
from typing import Any

from dagster_project.report.day import HEADLINE_INDEX
from dagster_project.report.drawing import Canvas, Chart, label_dates, points
from dagster_project.report.figures import Figure, Row, Text, direction, listed, paragraph, say
from dagster_project.report.section import NO_NEWS, Section
from dagster_project.report.tables import Column, Table, table
from dagster_project.report.wording import (
    REGION_NAMES,
    extreme,
    last_seen,
    level_last_seen,
    news_value,
    notable_level,
    verb,
    weekday,
)

# A change, in percent, that weighs as much as a level not seen for a year.
USUAL_CHANGE = 2.0
# Of an index that is not its region's headline index.
OTHER_INDEX_WEIGHT = 0.75
# Sessions in a row from which on a sentence counts them.
NOTABLE_STREAK = 3
# Days after which a larger change is long ago.
NOTABLE_CHANGE_AFTER_DAYS = 90
# Sessions a chart looks back where the level was last seen more recently, or never.
LOOK_BACK = 250
# Labels nearer than this part of the width to the end would lie on each other.
LABEL_GAP = 0.3


class Indices(Section):
    name = "indices"
    title = "Indices"
    order = 10

    # Rows

    @cached_property
    def rows(self) -> list[Row]:
        return self.day.indices

    def of_region(self, region: str) -> list[Row]:
        return [row for row in self.rows if row["region"] == region]

    def history(self, row: Row) -> list[tuple[date, float]]:
        """Session and close of an index, from when its level was last seen to the trade date."""
        column = level_last_seen(row)
        since = row[column] if column else None
        con, trade_date = self.published.con, self.day.trade_date
        (first,) = con.execute(
            f"""select min(trade_date) from (
                select trade_date from main.index_performance where symbol = ? and trade_date <= ?
                order by trade_date desc limit {LOOK_BACK})""",
            [row["symbol"], trade_date],
        ).fetchone() or (trade_date,)
        return con.execute(
            """select trade_date, cast(close as double) from main.index_performance
            where symbol = ? and trade_date between ? and ? order by trade_date""",
            [row["symbol"], min(first, since or first), trade_date],
        ).fetchall()

    # Sentences

    def headline(self) -> Text:
        if not self.rows:
            return say("Markets traded, but no file states the close of an index")
        row = max(self.rows, key=self._index_news)
        name = row.figure("name", "text")
        if row["change_pct"] is None:
            return say("{name} closes at {close}", name=name, close=_close(row))
        level = notable_level(self.day, row)
        if level and level.years >= abs(row["change_pct"]) / USUAL_CHANGE:
            return say("{name} closes at {level}", name=name, level=level.clause(noun=""))
        if direction(row["change_pct"]) == 0:
            return say("{name} closes unchanged at {close}", name=name, close=_close(row))
        return say(
            "{name} {verb} {change}, closes at {close}",
            name=name,
            verb=verb(row["change_pct"], present=True),
            change=row.figure("change_pct", "pct_size"),
            close=_close(row),
        )

    def news_value(self, region: str) -> float:
        return max(map(self._index_news, self.of_region(region)), default=NO_NEWS)

    def region_paragraphs(self, region: str) -> list[Text]:
        return [paragraph(self._sentences(region))]

    def _index_news(self, row: Row) -> float:
        is_headline = row["symbol"] in HEADLINE_INDEX.values()
        weight = 1 if is_headline else OTHER_INDEX_WEIGHT
        return news_value(self.day, row, USUAL_CHANGE) * weight

    def _sentences(self, region: str) -> Iterable[Text]:
        rows = sorted(self.of_region(region), key=self._index_news, reverse=True)
        if not rows:
            name = REGION_NAMES[region]
            yield say("No file states the close of an index of {region}.", region=name)
            return
        first, *others = rows
        yield self._first_index(region, first)
        moved = [self._other_index(row) for row in others if row["change_pct"] is not None]
        if moved:
            yield say("{indices}.", indices=_capital(listed(moved)))
        without_change = [
            say("{name} at {close}", name=_name(row), close=_close(row))
            for row in others
            if row["change_pct"] is None
        ]
        if without_change:
            yield say(
                "Also without a close of the session before: {indices}.",
                indices=listed(without_change),
            )

    def _first_index(self, region: str, row: Row) -> Text:
        when = weekday(self.day.trade_date)
        markets = self.day.open_markets(region)
        if any(self.day.sessions[market["market"]]["is_half_day"] for market in markets):
            when += "'s shortened session"
            on = "in"
        else:
            on = "on"
        parts = {"name": _capital(_name(row)), "close": _close(row), "when": when, "on": on}
        if row["change_pct"] is None:
            return say(
                "{name} closed at {close} {on} {when}; "
                "the warehouse has no close of the session before.",
                **parts,
            )
        if direction(row["change_pct"]) == 0:
            sentence = say("{name} closed unchanged at {close} {on} {when}", **parts)
        else:
            sentence = say(
                "{name} {verb} {points} points, or {change}, to close at {close} {on} {when}",
                verb=verb(row["change_pct"]),
                points=row.figure("change", "points_size"),
                change=row.figure("change_pct", "pct_size"),
                **parts,
            )
        level = notable_level(self.day, row)
        sentence += say(", {level}.", level=level.clause()) if level else (".",)
        return sentence + self._run(row)

    def _run(self, row: Row) -> Text:
        """How many sessions an index has gone the same way, and since when not as far in one."""
        way = direction(row["change_pct"])
        parts = []
        if way and abs(row["streak"] or 0) >= NOTABLE_STREAK:
            parts.append(say("its {number} in a row", number=row.figure("streak", "ordinal")))
        column = "change_high_since" if way > 0 else "change_low_since"
        since = row[column] if way else None
        if since and (self.day.trade_date - since).days >= NOTABLE_CHANGE_AFTER_DAYS:
            parts.append(say("its largest since {since}", since=row.figure(column, "date")))
        if not parts:
            return ()
        return say(" The {what} was {parts}.", what="gain" if way > 0 else "fall",
                   parts=listed(parts))  # fmt: skip

    def _other_index(self, row: Row) -> Text:
        if direction(row["change_pct"]) == 0:
            return say("{name} was unchanged at {close}", name=_name(row), close=_close(row))
        sentence = say(
            "{name} {verb} {change} to {close}",
            name=_name(row),
            verb=verb(row["change_pct"]),
            change=row.figure("change_pct", "pct_size"),
            close=_close(row),
        )
        level = notable_level(self.day, row)
        return sentence + (say(" ({level})", level=level.clause()) if level else ())

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

    def charts(self) -> list[Chart]:
        histories = [(row, self.history(row)) for row in self.rows]
        return [_chart(row, history) for row, history in histories if len(history) > 1]


def _name(row: Row) -> Text:
    """An index as a sentence names it."""
    return say("the {name}", name=row.figure("name", "text"))


def _close(row: Row) -> Figure:
    return row.figure("close", "level")


def _capital(text: Text) -> Text:
    """The same text, its first word as a sentence begins."""
    first, *rest = text
    assert isinstance(first, str)
    return (first[0].upper() + first[1:], *rest)


def _chart(row: Row, history: Sequence[tuple[date, float]]) -> Chart:
    """Closes up to the trade date, and a level line back to the session that saw it last."""
    canvas = Canvas()
    column = level_last_seen(row)
    since = row[column] if column else None
    first_day, last_day, level = history[0][0], history[-1][0], history[-1][1]
    canvas.layer(
        {"type": "line", "strokeWidth": 1.4, "color": "var(--line)"},
        points(history, {since} if since else set()),
    )
    end: dict[str, Any] = {"day": str(last_day), "value": level}
    if column and since is not None:
        begin = {"day": str(max(since, first_day)), "value": level}
        _draw_level(canvas, begin, end, column)
        # A session before the covered dates has no place in the drawing.
        if since >= first_day:
            has_room = (last_day - since).days > LABEL_GAP * (last_day - first_day).days
            _mark_session(canvas, begin, row.figure(column, "short_date"), column, has_room)
    canvas.layer({"type": "circle", "size": 36, "color": "var(--ink)", "opacity": 1}, [end])
    canvas.label(
        _close(row),
        str(last_day),
        level,
        align="right",
        baseline="bottom",
        dy=-7,
        dx=4,
        fontWeight="bold",
    )
    lowest = min(value for _, value in history)
    label_dates(canvas, row, history, lowest, skip_first=since == first_day)
    canvas.set_channel("y", scale={"zero": False, "nice": False})
    name = f"chart-{row['symbol'].replace('.', '-').lower()}"
    title = say("{name}", name=row.figure("name", "text"))
    return Chart(name, title, _caption(row), canvas.spec(), canvas.labels)


def _side(column: str) -> str:
    return "var(--up)" if column == "closing_high_since" else "var(--down)"


def _draw_level(canvas: Canvas, begin: dict[str, Any], end: dict[str, Any], column: str) -> None:
    """A dashed line up to the trade date, at its level."""
    mark = {"type": "line", "strokeWidth": 1.2, "strokeDash": [3, 3], "color": _side(column)}
    canvas.layer(mark, [begin, end])


def _mark_session(
    canvas: Canvas, seen: dict[str, Any], since: Figure, column: str, has_room: bool
) -> None:
    """A point at the session that saw the level last; labelled where there is room."""
    mark = {"type": "point", "size": 36, "color": _side(column), "strokeWidth": 1.6}
    canvas.layer(mark, [seen])
    if has_room:
        canvas.label(
            since, seen["day"], seen["value"], align="left", baseline="bottom", dy=-6, dx=-4
        )


def _caption(row: Row) -> Text:
    column = level_last_seen(row)
    if column is None or row[column] is None:
        return say("session by session")
    since = row.figure(column, "date")
    return say("{word} close since {since}", word=extreme(column), since=since)
