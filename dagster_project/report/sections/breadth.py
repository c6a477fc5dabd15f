"""Breadth: how many securities of each market rose, fell, or closed at an extreme."""

from collections.abc import Iterable, Sequence
from functools import cached_property

from dagster_project.report.figures import Row, Text, listed, say
from dagster_project.report.section import Section
from dagster_project.report.tables import Bar, Column, Table, table
from dagster_project.report.wording import PLACES

# Above this part of the shares that moved: the word for those that rose.
PARTS = (
    (0.9, "nearly all"),
    (0.6, "most"),
    (0.4, "about half"),
    (0.1, "fewer than half"),
    (-1, "hardly any"),
)


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

    def region_sentences(self, region: str) -> Iterable[Text]:
        of_region = {market["market"] for market in self.day.open_markets(region)}
        rows = [
            (PLACES[market], row)
            for market, row in self.rows
            # Without the session before nothing has risen or fallen.
            if market in of_region and row["advancers"] + row["decliners"] > 0
        ]
        if len(rows) == 1:
            ((place, row),) = rows
            yield say(
                "Of the {all} {place} shares followed, {rose} rose.",
                all=row.figure("securities_reported", "count"),
                place=place,
                rose=row.figure("advancers", "count"),
            )
        elif rows:
            yield _in_words(rows)

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


def _in_words(rows: Sequence[tuple[str, Row]]) -> Text:
    """`Of the shares followed, most rose in Shanghai, about half in Shenzhen.`"""
    by_word: dict[str, list[Text]] = {}
    for place, row in rows:
        share = row["advancers"] / (row["advancers"] + row["decliners"])
        word = next(word for above, word in PARTS if share > above)
        by_word.setdefault(word, []).append(say(place))
    (word, places), *others = by_word.items()
    text = say("Of the shares followed, {word} rose in {places}", word=word, places=listed(places))
    for word, places in others:
        text += say(", {word} in {places}", word=word, places=listed(places))
    return (*text, ".")


def _bar(row: Row) -> Bar | None:
    parts = [
        (side, row[column])
        for side, column in (("up", "advancers"), ("flat", "unchanged"), ("down", "decliners"))
    ]
    total = sum(count for _, count in parts)
    return Bar([(side, count / total) for side, count in parts]) if total else None
