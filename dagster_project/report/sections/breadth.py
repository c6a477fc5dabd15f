"""Breadth: how many securities of each market rose, fell, or closed at an extreme."""

from collections.abc import Iterable
from functools import cached_property

from dagster_project.report.figures import Row, Text, listed, paragraph, say
from dagster_project.report.section import Section
from dagster_project.report.tables import Bar, Column, Table, table
from dagster_project.report.wording import PLACES

# Column -> the sentence about the markets in which it is not zero.
EXTREMES = {
    "new_highs_52w": "Of the securities followed, {counts} closed at the highest of a year.",
    "new_lows_52w": "At the lowest of a year closed {counts}.",
    "limit_up": "At the upper price limit closed {counts}.",
    "limit_down": "At the lower price limit closed {counts}.",
}


class Breadth(Section):
    name = "breadth"
    title = "Breadth"
    order = 60

    # Rows

    @cached_property
    def rows(self) -> list[tuple[str, Row]]:
        """Market and row, in the order of markets."""
        markets = [market["market"] for market in self.day.markets]
        return [
            (market, self.day.breadth[market]) for market in markets if market in self.day.breadth
        ]

    # Sentences

    def paragraphs(self) -> list[Text]:
        rows = [
            (PLACES[market], row)
            for market, row in self.rows
            # Without the session before nothing has risen or fallen.
            if market in self.day.sessions and row["advancers"] + row["decliners"] > 0
        ]
        return [paragraph([*_sides(rows), *_extremes(rows)])]

    # Tables

    def tables(self) -> list[Table]:
        columns = {
            "advancers": "Up",
            "decliners": "Down",
            "unchanged": "Unchanged",
            "suspended": "Suspended",
            "new_highs_52w": "Year's highest",
            "new_lows_52w": "Year's lowest",
            "limit_up": "At upper limit",
            "limit_down": "At lower limit",
        }
        return table(
            "breadth",
            say("Securities that the files cover"),
            [Column("Market", "words"), Column("", "bar"), *map(Column, columns.values())],
            [
                (
                    say(PLACES[market]),
                    _bar(row),
                    *(row.figure(column, "count") for column in columns),
                )
                for market, row in self.rows
            ],
        )


def _sides(rows: list[tuple[str, Row]]) -> Iterable[Text]:
    """Whether more securities rose or fell, by place."""
    for first, second in (("advancers", "decliners"), ("decliners", "advancers")):
        larger = [
            say(
                "by {more} to {fewer} in {place}",
                more=row.figure(first, "count"),
                fewer=row.figure(second, "count"),
                place=place,
            )
            for place, row in rows
            if row[first] > row[second]
        ]
        if larger:
            yield say(
                "{first} outnumbered {second} {counts}.",
                first=first.capitalize(),
                second=second,
                counts=listed(larger),
            )
    even = [
        say("{place} ({count} each)", place=place, count=row.figure("advancers", "count"))
        for place, row in rows
        if row["advancers"] == row["decliners"]
    ]
    if even:
        yield say("As many advanced as declined in {even}.", even=listed(even))


def _extremes(rows: list[tuple[str, Row]]) -> Iterable[Text]:
    for column, sentence in EXTREMES.items():
        counts = [
            say("{count} in {place}", count=row.figure(column, "count"), place=place)
            for place, row in rows
            if row[column]
        ]
        if counts:
            yield say(sentence, counts=listed(counts))


def _bar(row: Row) -> Bar | None:
    parts = [
        (side, row[column])
        for side, column in (("up", "advancers"), ("flat", "unchanged"), ("down", "decliners"))
    ]
    total = sum(count for _, count in parts)
    return Bar([(side, count / total) for side, count in parts]) if total else None
