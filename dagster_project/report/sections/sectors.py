"""Sectors and baskets: which led, which lagged, and the securities that moved a basket."""

from collections.abc import Iterable, Sequence
from functools import cached_property

from dagster_project.report.day import REGIONS
from dagster_project.report.figures import Figure, Row, Text, direction, listed, say
from dagster_project.report.news import (
    Level,
    levels_left_for_securities,
    notable_level,
    regions_by_news,
    security_news,
)
from dagster_project.report.section import Section
from dagster_project.report.tables import Bar, Column, Table, table
from dagster_project.report.wording import (
    REGION_NAMES,
    WEIGHTINGS,
    region_title,
    verb,
)

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

    @cached_property
    def told_members(self) -> dict[str, list[Row]]:
        """Region -> the securities of its baskets that are most news, never an outlier."""
        told: dict[str, list[Row]] = {}
        first_region = next(iter(regions_by_news(self.day)), None)
        for region in REGIONS:
            members = {
                row["symbol"]: row
                for basket in self.baskets
                if basket["region"] == region
                for row in self.basket_members[basket["sector"]]
                if not row["is_outlier"]
            }
            known = [row for row in members.values() if row["symbol"] in self.day.english_names]
            candidates = known or list(members.values())
            candidates.sort(key=lambda row: (-security_news(self.day, row), row["symbol"]))
            told[region] = candidates[: NAMED_MEMBERS - (region != first_region)]
        return told

    @cached_property
    def told_levels(self) -> dict[str, Level]:
        """Symbol -> the level that is told of it; the text has room for a few."""
        rows = [row for r in regions_by_news(self.day) for row in self.told_members.get(r, [])]
        levels = [(row["symbol"], notable_level(self.day, row)) for row in rows]
        notable = [(symbol, level) for symbol, level in levels if level]
        return dict(notable[: levels_left_for_securities(self.day)])

    # Sentences

    def region_sentences(self, region: str) -> Iterable[Text]:
        baskets = [row for row in self.baskets if row["region"] == region]
        if len(baskets) > 1:
            yield self._basket_sentence(baskets[0], baskets[-1])
        members = self.told_members.get(region)
        if members:
            yield say("{members}.", members=listed(map(self._member, members)))
        rows = [row for row in self.sectors if row["region"] == region]
        # With fewer, the leaders would be the laggards.
        if len(rows) >= 2 * NAMED_SECTORS:
            worst = sorted(rows, key=lambda row: row["rank_worst"])
            yield self._sector_sentence(region, rows[:NAMED_SECTORS], worst[:NAMED_SECTORS])

    def _basket_sentence(self, best: Row, worst: Row) -> Text:
        """`Of the baskets followed, Mainland New Energy rose most, and Mainland Consumer fell.`"""
        ways = direction(best["change_pct"]), direction(worst["change_pct"])
        pattern = {
            (1, 1): "Of the baskets followed, {best} rose most and {worst} least.",
            (-1, -1): "Of the baskets followed, {worst} fell most and {best} least.",
        }.get(ways, "Of the baskets followed, {best} did best and {worst} worst.")
        names = {
            which: self.day.basket_names[row["sector"]].figure("name", "text")
            for which, row in (("best", best), ("worst", worst))
        }
        return say(pattern, **names)

    def _member(self, row: Row) -> Text:
        """A security with its change and, if there is room, its level."""
        name = self.day.security_name(row)
        text = say("{name} {verb}", name=name, verb=verb(row["change_pct"]))
        if direction(row["change_pct"]):
            text += say(" {change}", change=row.figure("change_pct", "pct_size"))
        level = self.told_levels.get(row["symbol"])
        return text + (say(" to {level}", level=level.clause()) if level else ())

    def _sector_sentence(self, region: str, best: Sequence[Row], worst: Sequence[Row]) -> Text:
        """Leaders and laggards by name; only the larger change of the two ends is a figure."""
        is_rise = abs(best[0]["change_pct"]) > abs(worst[0]["change_pct"])
        return say(
            "{leaders}; {laggards}.",
            leaders=self._leaders(region, best, with_change=is_rise),
            laggards=self._laggards(worst, with_change=not is_rise),
        )

    def _leaders(self, region: str, best: Sequence[Row], with_change: bool) -> Text:
        first, *others = [row for row in best if direction(row["change_pct"]) > 0] or best[:1]
        change = first.figure("change_pct", "pct_size")
        parts = {"first": self._name(first, "capital"), "region": REGION_NAMES[region]}
        way = direction(first["change_pct"])
        if way < 0:
            return say("{first} fell least of the sectors of {region}", **parts)
        if way == 0:
            return say("{first} was unchanged, and no sector of {region} rose", **parts)
        up = say(", up {change},", change=change) if with_change else ()
        text = say("{first}{up} led the sectors of {region}", up=up, **parts)
        return text + (say(", ahead of {others}", others=self._names(others)) if others else ())

    def _laggards(self, worst: Sequence[Row], with_change: bool) -> Text:
        first, *others = [row for row in worst if direction(row["change_pct"]) < 0] or worst[:1]
        name = self._name(first, "lower")
        way = direction(first["change_pct"])
        if way > 0:
            return say("{name} gained least", name=name)
        if way == 0:
            return say("{name} was unchanged", name=name)
        by = first.figure("change_pct", "pct_size")
        text = say("{name} fell most", name=name) + (say(", by {by}", by=by) if with_change else ())
        return text + (say(", followed by {others}", others=self._names(others)) if others else ())

    def _names(self, rows: Sequence[Row]) -> Text:
        # Names have an "and" of their own.
        return listed(((self._name(row, "lower"),) for row in rows), last=", then")

    def _name(self, row: Row, form: str) -> Figure:
        return self.day.sector_names[row["sector"]].figure("name", form)

    # Tables

    def tables(self) -> list[Table]:
        # One scale, as the bars stand side by side.
        shown = [*self.sectors, *self.baskets]
        largest = max((abs(row["change_pct"]) for row in shown), default=0)
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


def _table(
    what: str, region: str, rows: Sequence[Row], names: dict[str, Row], largest: float
) -> list[Table]:
    """The sectors or baskets of a region; `largest` is the change that fills half a bar."""
    rows = [row for row in rows if row["region"] == region]
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
                _bar(row["change_pct"], largest),
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
