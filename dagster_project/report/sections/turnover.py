"""Turnover: of each market and of all, beside the session before and the twenty before."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from dagster_project.report.day import REGIONS
from dagster_project.report.drawing import HEIGHT, LABEL_HEIGHT, Canvas, Chart, label_dates
from dagster_project.report.figures import Figure, Row, Text, listed, paragraph, say
from dagster_project.report.news import DAYS_PER_YEAR
from dagster_project.report.section import Section
from dagster_project.report.tables import Column, Table, table
from dagster_project.report.wording import CURRENCIES, PLACES

# Sessions a chart looks back.
LOOK_BACK = 60
# Below this ratio to the average: the words.
BESIDE_AVERAGE = (
    (0.75, "far below"),
    (0.9, "well below"),
    (0.97, "a little below"),
    (1.03, "about"),
    (1.1, "a little above"),
    (1.5, "well above"),
    (2.0, "far above"),
    (float("inf"), "more than twice"),
)
SCOPES = {"hong_kong": "Hong Kong", "mainland": "Mainland", "all": "All markets"}


@dataclass(frozen=True)
class Total:
    """What the markets of a region turned over."""

    amount: Figure
    before: Figure
    currency: str
    ratio: float | None
    """Amount ÷ average of the twenty sessions before."""


class Turnover(Section):
    name = "turnover"
    title = "Turnover"
    order = 50

    # Rows

    @cached_property
    def turnovers(self) -> dict[str, Row]:
        """Market -> its turnover, in the order of markets."""
        rows = self.published.rows("market_turnover", "where trade_date = ?", [self.day.trade_date])
        found = {row["market"]: row for row in rows}
        markets = [market["market"] for market in self.day.markets]
        return {market: found[market] for market in markets if market in found}

    @cached_property
    def scopes(self) -> dict[str, Row]:
        """Scope -> turnover across its markets."""
        rows = self.published.rows(
            "cross_market_turnover", "where trade_date = ?", [self.day.trade_date]
        )
        return {row["scope"]: row for row in rows}

    def history(self, market: str) -> list[tuple[date, float, float | None]]:
        """Session, turnover and average of the twenty sessions before, up to the trade date."""
        found = self.published.con.execute(
            f"""select trade_date, cast(turnover as double), cast(average_20d as double)
            from main.market_turnover where market = ? and trade_date <= ?
            order by trade_date desc limit {LOOK_BACK}""",
            [market, self.day.trade_date],
        ).fetchall()
        return found[::-1]

    @cached_property
    def totals(self) -> dict[str, Total]:
        """Region -> its turnover; without the regions that lack a part of it."""
        return {
            region: total
            for region in REGIONS
            if self.day.open_markets(region) and (total := self._total(region))
        }

    def _total(self, region: str) -> Total | None:
        markets = [market["market"] for market in self.day.open_markets(region)]
        rows = [self.turnovers[market] for market in markets if market in self.turnovers]
        if len(rows) < len(markets):
            return None
        averages = [row["average_20d"] for row in rows]
        average = None if None in averages else sum(averages)
        if len(rows) == 1:
            (row,) = rows
            return Total(
                row.figure("turnover", "money"),
                row.figure("previous_turnover", "money"),
                CURRENCIES[row["currency"]],
                average and float(row["turnover"] / average),
            )
        scope = self.scopes.get(region)
        if scope is None or scope["turnover_cny"] is None:
            return None
        return Total(
            scope.figure("turnover_cny", "money"),
            scope.figure("previous_turnover_cny", "money"),
            CURRENCIES["CNY"],
            average and float(sum(row["turnover"] for row in rows) / average),
        )

    # Sentences

    def lead(self) -> Iterable[Text]:
        """Turnovers that are the largest known, or were not seen for more than a year."""
        records = [say(PLACES[m]) for m, row in self._open_turnovers() if self._is_record(row)]
        if records:
            yield say("Turnover in {places} was the largest on record.", places=listed(records))
        since = [
            say("{place} since {day}", place=PLACES[market], day=day.written("month"))
            for market, row in self._open_turnovers()
            if row["turnover_high_since"]
            and self._is_long_ago(row["turnover_high_since"])
            and (day := row.figure("turnover_high_since", "date"))
        ]
        if since:
            yield say("Turnover was the largest in {places}.", places=listed(since))

    def _open_turnovers(self) -> list[tuple[str, Row]]:
        return [(m, row) for m, row in self.turnovers.items() if m in self.day.sessions]

    def _is_record(self, row: Row) -> bool:
        """Whether none is known that was as large, in a record that is long enough to say so."""
        if row["turnover"] is None or row["turnover_high_since"] is not None:
            return False
        first = self.published.total("market_turnover", "min(trade_date)", market=row["market"])
        return self._is_long_ago(first["min(trade_date)"])

    def _is_long_ago(self, day: date) -> bool:
        return (self.day.trade_date - day).days > DAYS_PER_YEAR

    def paragraphs(self) -> list[Text]:
        return [paragraph(self._sentence(region, total) for region, total in self.totals.items())]

    def _sentence(self, region: str, total: Total) -> Text:
        places = listed(say(PLACES[m["market"]]) for m in self.day.open_markets(region))
        text = say(
            "Turnover in {places} came to {amount} {currency}",
            places=places,
            amount=total.amount,
            currency=total.currency,
        )
        if total.before.value is not None:
            text += say(" after {before} the session before", before=total.before)
        if total.ratio is not None:
            text += say(
                ", {much} its average of the twenty sessions before", much=_much(total.ratio)
            )
        return (*text, ".")

    # Tables

    def tables(self) -> list[Table]:
        return self._by_market() + self._in_one_currency()

    def _by_market(self) -> list[Table]:
        return table(
            "turnover",
            say("By market, in billions of its own currency"),
            [
                Column("Market", "words"),
                Column("Currency", "words"),
                Column("Turnover"),
                Column("Session before"),
                Column("Change"),
                Column("Average of twenty sessions before"),
                Column("Against average"),
            ],
            [
                (
                    say(PLACES[market]),
                    say(CURRENCIES[row["currency"]]),
                    row.figure("turnover", "billions"),
                    row.figure("previous_turnover", "billions"),
                    row.figure("change_pct", "pct"),
                    row.figure("average_20d", "billions"),
                    row.figure("ratio_to_average_20d", "above"),
                )
                for market, row in self.turnovers.items()
            ],
        )

    def _open_scopes(self) -> list[tuple[str, Row]]:
        """Name and row of the scopes of which a market was open."""
        return [
            (name, self.scopes[scope])
            for scope, name in SCOPES.items()
            if scope in self.scopes and self.scopes[scope]["markets_open"]
        ]

    def _in_one_currency(self) -> list[Table]:
        return table(
            "turnover-in-one-currency",
            say("In one currency, in billions"),
            [
                Column("Markets", "words"),
                Column("Yuan"),
                Column("Hong Kong dollars"),
                Column("US dollars"),
                Column("Change in yuan"),
                Column("Share of all"),
                Column("Reported"),
            ],
            [
                (
                    say(name),
                    row.figure("turnover_cny", "billions"),
                    row.figure("turnover_hkd", "billions"),
                    row.figure("turnover_usd", "billions"),
                    row.figure("change_pct", "pct"),
                    row.figure("share_of_all_pct", "share"),
                    say(
                        "{reported} of {opened}",
                        reported=row.figure("markets_reported", "count"),
                        opened=row.figure("markets_open", "count"),
                    ),
                )
                for name, row in self._open_scopes()
            ],
        )

    def notes(self) -> list[Text]:
        if all(row["is_complete"] for _, row in self._open_scopes()):
            return []
        return [
            say(
                "Where a market has not reported, there is no total, and nothing is compared with "
                "one."
            )
        ]

    # Charts

    def charts(self) -> list[Chart]:
        histories = [(row, self.history(market)) for market, row in self.turnovers.items()]
        return [_chart(row, history) for row, history in histories if len(history) > 1]


def _much(ratio: float) -> str:
    """The word for a turnover beside its average."""
    return next(word for below, word in BESIDE_AVERAGE if ratio < below)


def _apart(value: float, other: float | None, highest: float) -> float:
    """Pixels by which the label of a value goes down, so that it is not on that of another."""
    if other is None:
        return 0
    distance = (value - other) / highest * HEIGHT
    room = max(0.0, LABEL_HEIGHT - abs(distance)) / 2
    return -room if distance >= 0 else room


def _chart(row: Row, history: Sequence[tuple[date, float, float | None]]) -> Chart:
    """Turnover session by session as bars, the average of the twenty before each as a line."""
    canvas = Canvas()
    bars = [{"day": str(day), "value": value} for day, value, _ in history]
    canvas.layer({"type": "bar", "color": "var(--bar)"}, bars[:-1])
    canvas.layer({"type": "bar", "color": "var(--ink)"}, bars[-1:])
    averages = [{"day": str(day), "value": mean} for day, _, mean in history if mean is not None]
    if averages:
        canvas.layer({"type": "line", "strokeWidth": 1.6, "color": "var(--accent)"}, averages)
    last_day, last = history[-1][0], history[-1][1]
    average = history[-1][2]
    apart = _apart(last, average, max(value for _, value, _ in history))
    canvas.end(row.figure("turnover", "money"), last_day, last, fontWeight="bold", dy=apart)
    if average is not None:
        figure = row.figure("average_20d", "money")
        canvas.end(figure, last_day, average, color="var(--accent)", dy=-apart)
    label_dates(canvas, row, [day for day, _, _ in history], 0)
    days = [bar["day"] for bar in bars]
    canvas.set_channel("x", type="ordinal", scale={"domain": days, "paddingInner": 0.25})
    market = row["market"]
    return Chart(
        f"chart-{market.lower()}",
        say(PLACES[market]),
        say(
            "{currency} a session; the line is the average of the twenty sessions before",
            currency=CURRENCIES[row["currency"]],
        ),
        canvas.spec(),
        canvas.labels,
    )
