"""Turnover: of each market and of all, beside the session before and the twenty before."""

from collections.abc import Iterable, Sequence
from datetime import date
from functools import cached_property

from dagster_project.report.day import REGIONS
from dagster_project.report.drawing import Canvas, Chart, label_dates
from dagster_project.report.figures import Row, Text, direction, listed, paragraph, say
from dagster_project.report.section import Section
from dagster_project.report.tables import Column, Table, table
from dagster_project.report.wording import CURRENCIES, PLACES

# Sessions a chart looks back.
LOOK_BACK = 60
SCOPES = {"hong_kong": "Hong Kong", "mainland": "Mainland", "all": "All markets"}


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

    # Sentences

    def paragraphs(self) -> list[Text]:
        return [paragraph(self._sentences())]

    def _sentences(self) -> Iterable[Text]:
        mainland = self.day.open_markets("mainland")
        if mainland:
            yield self._mainland(mainland)
        for market in self.day.open_markets("hong_kong"):
            yield self._market(market["market"])
        both = self.scopes.get("all")
        regions = [region for region in REGIONS if self.day.open_markets(region)]
        if both and both["is_complete"] and both["turnover_cny"] is not None and len(regions) > 1:
            yield say(
                "Counted in yuan, all markets together turned over {total}.",
                total=both.figure("turnover_cny", "money"),
            )

    def _mainland(self, markets: Sequence[Row]) -> Text:
        scope = self.scopes.get("mainland")
        places = listed(say(PLACES[market["market"]]) for market in markets)
        if scope is None or not scope["markets_reported"]:
            return say("No file states the turnover of {places}.", places=places)
        if scope["turnover_cny"] is None:
            # A sum that lacks a market is no total.
            return paragraph(self._market(market["market"]) for market in markets)
        total = scope.figure("turnover_cny", "money")
        text = say("Turnover in {places} came to {total} yuan", places=places, total=total)
        if scope["change_cny"] is not None:
            text += say(
                ", {compared} {before} the session before",
                compared=_compared(scope["change_cny"]),
                before=scope.figure("previous_turnover_cny", "money"),
            )
        averages = [
            say(
                "{place} was {average}",
                place=PLACES[market["market"]],
                average=_average(row, "higher", "lower", "level"),
            )
            for market in markets
            if (row := self.turnovers.get(market["market"]))
            and row["ratio_to_average_20d"] is not None
        ]
        if averages:
            text += say(
                "; against the average of the twenty sessions before, {averages}",
                averages=listed(averages),
            )
        return (*text, ".")

    def _market(self, market: str) -> Text:
        place = PLACES[market]
        row = self.turnovers.get(market)
        if row is None or row["turnover"] is None:
            return say("No file states the turnover of {place}.", place=place)
        text = say(
            "{place}'s turnover was {total} {currency}",
            place=place,
            total=row.figure("turnover", "money"),
            currency=CURRENCIES[row["currency"]],
        )
        if row["previous_turnover"] is not None:
            text += say(
                ", {compared} {before}",
                compared=_compared(row["turnover"] - row["previous_turnover"]),
                before=row.figure("previous_turnover", "money"),
            )
        if row["ratio_to_average_20d"] is not None:
            text += say(
                "; that is {average} the average of the twenty sessions before",
                average=_average(row, "above", "below", "level with"),
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


def _compared(change: object) -> str:
    assert change is not None
    return {1: "up from", -1: "down from", 0: "the same as"}[direction(change)]


def _average(row: Row, above: str, below: str, level: str) -> Text:
    """`7.5 % below`, of its average of the twenty sessions before."""
    size = row.figure("ratio_to_average_20d", "above_size")
    side = row.figure("ratio_to_average_20d", "above").direction
    if side == 0:
        return say(level)
    return say("{size} {side}", size=size, side=above if side == 1 else below)


def _chart(row: Row, history: Sequence[tuple[date, float, float | None]]) -> Chart:
    """Turnover session by session as bars, the average of the twenty before each as a line."""
    canvas = Canvas()
    bars = [{"day": str(day), "value": value} for day, value, _ in history]
    canvas.layer({"type": "bar", "color": "var(--bar)"}, bars[:-1])
    canvas.layer({"type": "bar", "color": "var(--ink)"}, bars[-1:])
    averages = [{"day": str(day), "value": mean} for day, _, mean in history if mean is not None]
    if averages:
        canvas.layer({"type": "line", "strokeWidth": 1.6, "color": "var(--accent)"}, averages)
    canvas.label(
        row.figure("turnover", "money"),
        str(history[-1][0]),
        # Above every bar, so that it lies on none.
        max(value for _, value, _ in history),
        align="right",
        baseline="bottom",
        dy=-6,
        dx=6,
        fontWeight="bold",
    )
    label_dates(canvas, row, history, 0)
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
