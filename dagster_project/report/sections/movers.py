"""Movers: the securities with the largest gains and losses of each region, without outliers."""

from functools import cached_property

from dagster_project.report.day import REGIONS
from dagster_project.report.figures import Row, Text, say
from dagster_project.report.section import Section
from dagster_project.report.tables import Column, Table, table
from dagster_project.report.wording import last_seen, region_title

SHOWN = 5
AT_LIMIT = {"up": "at upper limit", "down": "at lower limit"}


class Movers(Section):
    name = "movers"
    title = "Movers"
    order = 30

    # Rows

    @cached_property
    def gainers(self) -> dict[str, list[Row]]:
        """Region -> its largest gains."""
        return {region: self._movers(region, "> 0", "desc") for region in REGIONS}

    @cached_property
    def losers(self) -> dict[str, list[Row]]:
        """Region -> its largest losses."""
        return {region: self._movers(region, "< 0", "asc") for region in REGIONS}

    def _movers(self, region: str, sign: str, order: str) -> list[Row]:
        return self.published.rows(
            "security_performance",
            f"""where trade_date = ? and region = ? and status = 'traded' and not is_outlier
            and change_pct {sign}
            order by change_pct {order}, symbol limit {SHOWN}""",
            [self.day.trade_date, region],
        )

    # Tables

    def tables(self) -> list[Table]:
        tables: list[Table] = []
        for region in REGIONS:
            tables += self._table(f"gainers-{region}", region, "gains", self.gainers[region])
            tables += self._table(f"losers-{region}", region, "losses", self.losers[region])
        return tables

    def _table(self, name: str, region: str, what: str, rows: list[Row]) -> list[Table]:
        return table(
            name,
            say("{region}, largest {what}", region=region_title(region), what=what),
            [
                Column("Security", "words"),
                Column("Symbol", "phrase"),
                Column("Close"),
                Column("Change"),
                Column("Close is the", "phrase"),
                Column("Sector", "words"),
            ],
            [
                (
                    self.day.security_names(row),
                    row.figure("symbol", "text"),
                    row.figure("close", "price"),
                    row.figure("change_pct", "pct"),
                    say(AT_LIMIT[row["at_limit"]]) if row["at_limit"] else last_seen(self.day, row),
                    self.day.sector_names[row["sector"]].figure("name", "text")
                    if row["sector"] in self.day.sector_names
                    else None,
                )
                for row in rows
            ],
        )

    def notes(self) -> list[Text]:
        if not self.tables():
            return []
        return [
            say(
                "Highest and lowest count dividends and splits in; mainland closes at their daily "
                "price limit are marked."
            )
        ]
