"""Sectors and baskets: which led, which lagged, and the securities that moved a basket."""

from collections.abc import Iterable, Sequence
from functools import cached_property

from dagster_project.report.day import REGIONS
from dagster_project.report.figures import Figure, Row, Text, direction, listed, paragraph, say
from dagster_project.report.section import Section
from dagster_project.report.tables import Bar, Column, Table, table
from dagster_project.report.wording import (
    REGION_NAMES,
    WEIGHTINGS,
    news_value,
    notable_level,
    region_title,
    verb,
)

# A change of a security, in percent, that weighs as much as a level not seen for a year.
USUAL_CHANGE = 4.0
NAMED_MEMBERS = 3
NAMED_SECTORS = 3


class Sectors(Section):
    name = "sectors"
    title = "Sectors"
    order = 20
    is_wide = False

    # Rows

    @cached_property
    def sectors(self) -> list[Row]:
        """Those that are ranked: with at least five members that traded."""
        return self.published.rows(
            "sector_performance",
            """where trade_date = ? and level = 'sector' and rank_best is not null
            order by region, rank_best""",
            [self.day.trade_date],
        )

    @cached_property
    def baskets(self) -> list[Row]:
        return self.published.rows(
            "sector_performance",
            """where trade_date = ? and level = 'basket' and change_pct is not null
            order by region, change_pct desc, sector""",
            [self.day.trade_date],
        )

    @cached_property
    def basket_members(self) -> dict[str, list[Row]]:
        """Basket -> its securities that have a change."""
        day = self.day.trade_date
        return {
            basket["sector"]: self.published.rows(
                "security_performance",
                """where trade_date = ? and change_pct is not null and symbol in (
                    select symbol from seed.basket_member where basket = ? and ? >= valid_from
                    and (valid_to is null or ? <= valid_to)) order by symbol""",
                [day, basket["sector"], day, day],
            )
            for basket in self.baskets
        }

    # Sentences

    def region_paragraphs(self, region: str) -> list[Text]:
        return [
            paragraph(self._basket_sentences(region)),
            paragraph(self._sector_sentences(region)),
        ]

    def _basket_sentences(self, region: str) -> Iterable[Text]:
        for basket in self.baskets:
            if basket["region"] != region or basket["change_pct"] is None:
                continue
            sentence = say(
                "The {name} basket {change}",
                name=self.day.basket_names[basket["sector"]].figure("name", "text"),
                change=_changed(basket),
            )
            members = sorted(
                self.basket_members[basket["sector"]],
                key=lambda row: (-news_value(self.day, row, USUAL_CHANGE), row["symbol"]),
            )[:NAMED_MEMBERS]
            if members:
                sentence += say("; {members}", members=listed(map(self._member, members)))
            yield (*sentence, ".")

    def _member(self, row: Row) -> Text:
        """A security with its change and, where notable, its level."""
        name = self.day.security_name(row)
        text = say("{name} {verb}", name=name, verb=verb(row["change_pct"]))
        if direction(row["change_pct"]):
            text += say(" {change}", change=row.figure("change_pct", "pct_size"))
        level = notable_level(self.day, row)
        return text + (say(" to {level}", level=level.clause()) if level else ())

    def _sector_sentences(self, region: str) -> Iterable[Text]:
        rows = [row for row in self.sectors if row["region"] == region]
        # With fewer, the leaders would be the laggards.
        if len(rows) < 2 * NAMED_SECTORS:
            return
        by_worst = sorted(rows, key=lambda row: row["rank_worst"])
        led, lagged = "led the sectors of", "lagged"
        if direction(rows[0]["change_pct"]) < 0:
            led, lagged = "fell least among the sectors of", "fell most"
        yield say(
            "{leaders} {led} {region}; {laggards} {lagged}.",
            led=led,
            lagged=lagged,
            leaders=_capital(self._named(rows[:NAMED_SECTORS])),
            region=REGION_NAMES[region],
            laggards=self._named(by_worst[:NAMED_SECTORS]),
        )

    def _named(self, rows: Sequence[Row]) -> Text:
        return listed(
            say(
                "{name} ({change})",
                name=self.day.sector_names[row["sector"]].figure("name", "lower"),
                change=row.figure("change_pct", "pct"),
            )
            for row in rows
        )

    # Tables

    def tables(self) -> list[Table]:
        largest = max((abs(row["change_pct"]) for row in self.sectors), default=0)
        tables: list[Table] = []
        for region in REGIONS:
            tables += _table("sectors", region, self.sectors, self.day.sector_names, largest)
        for region in REGIONS:
            tables += _table("baskets", region, self.baskets, self.day.basket_names, largest)
        return tables

    def notes(self) -> list[Text]:
        weightings = {(row["region"], row["weighting"]) for row in self.sectors}
        return [
            say(
                "{region}: changes of securities {weighting}.",
                region=region_title(region),
                weighting=WEIGHTINGS[weighting],
            )
            for region in REGIONS
            for weighting in sorted(weighting for of, weighting in weightings if of == region)
        ]


def _changed(row: Row) -> Text:
    if direction(row["change_pct"]) == 0:
        return say("was unchanged {weighting}", weighting=WEIGHTINGS[row["weighting"]])
    return say(
        "{verb} {change} {weighting}",
        verb=verb(row["change_pct"]),
        change=row.figure("change_pct", "pct_size"),
        weighting=WEIGHTINGS[row["weighting"]],
    )


def _capital(text: Text) -> Text:
    """The same text, with the name that it begins with as a sentence begins."""
    first, *rest = text
    assert isinstance(first, Figure)
    return (first.written("capital"), *rest)


def _table(
    what: str, region: str, rows: Sequence[Row], names: dict[str, Row], largest: float
) -> list[Table]:
    """The sectors or baskets of a region; `largest` is the change that fills half a bar."""
    rows = [row for row in rows if row["region"] == region]
    scale = largest or max((abs(row["change_pct"]) for row in rows), default=0)
    has_share = any(row["turnover_share_pct"] is not None for row in rows)
    columns = [
        Column("Sector" if what == "sectors" else "Basket", "words"),
        Column("", "bar"),
        Column("Change"),
        Column("Up"),
        Column("Down"),
        *([Column("Share of turnover")] if has_share else []),
    ]
    return table(
        f"{what}-{region}",
        say("{region}, {what}", region=region_title(region), what=what),
        columns,
        [
            (
                names[row["sector"]].figure("name", "text"),
                _bar(row["change_pct"], max(scale, abs(row["change_pct"]))),
                row.figure("change_pct", "pct"),
                row.figure("advancers", "count"),
                row.figure("decliners", "count"),
                *([row.figure("turnover_share_pct", "share")] if has_share else []),
            )
            for row in rows
        ],
    )


def _bar(change: float | None, largest: float) -> Bar | None:
    if change is None or largest == 0:
        return None
    side = "up" if change > 0 else "down"
    return Bar([(side, abs(change) / largest)], is_from_middle=True)
