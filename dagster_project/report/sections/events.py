"""Events and target prices: how baskets responded to events, and what brokers expect."""

from collections.abc import Iterable
from functools import cached_property
from itertools import groupby

from dagster_project.report.figures import Figure, Row, Text, direction, listed, paragraph, say
from dagster_project.report.section import Section
from dagster_project.report.tables import Column, Table, table
from dagster_project.report.wording import CURRENCIES

RESPONSES = {True: "muted", False: "unusual", None: "not known"}


class Events(Section):
    name = "events"
    title = "Events and target prices"
    order = 70

    # Rows

    @cached_property
    def reactions(self) -> list[Row]:
        """Baskets' responses to events, on the first session after."""
        return self.published.rows(
            "event_reaction",
            """where trade_date = ? and relative_return_pct is not null
            order by event_date desc, event_id, region, basket""",
            [self.day.trade_date],
        )

    @cached_property
    def targets(self) -> list[Row]:
        """Target prices that brokers published on the day."""
        return self.published.rows(
            "target_price",
            "where target_date = ? and name is not null order by symbol, broker",
            [self.day.trade_date],
        )

    # Sentences

    def paragraphs(self) -> list[Text]:
        return [
            paragraph(self._events()),
            paragraph(_target(row, self.day.security_name(row)) for row in self.targets),
        ]

    def _events(self) -> Iterable[Text]:
        by_event = groupby(self.reactions, key=lambda row: (row["event_id"], row["event_date"]))
        for _, group in by_event:
            rows = list(group)
            yield say(
                "{what} ({day}): {reactions}.",
                what=rows[0].figure("what", "sentence"),
                day=rows[0].figure("event_date", "date"),
                reactions=listed(map(self._reaction, rows)),
            )

    def _reaction(self, row: Row) -> Text:
        """`the Hong Kong Consumer basket fell 1.01 percentage points behind its benchmark`."""
        basket = self.day.basket_names[row["basket"]].figure("name", "text")
        side = direction(row["relative_return_pct"])
        if side == 0:
            text = say("the {basket} basket moved with its benchmark", basket=basket)
        else:
            text = say(
                "the {basket} basket was {size} percentage points {side} its benchmark",
                basket=basket,
                size=row.figure("relative_return_pct", "points_size"),
                side="ahead of" if side > 0 else "behind",
            )
        if row["is_muted"] is None:
            return text
        return text + say(", {kind} answer", kind="a muted" if row["is_muted"] else "an unusual")

    # Tables

    def tables(self) -> list[Table]:
        return self._reaction_table() + self._target_table()

    def _reaction_table(self) -> list[Table]:
        return table(
            "reactions",
            say("Responses to events, against the region's benchmark"),
            [
                Column("Event", "words"),
                Column("Basket", "words"),
                Column("Basket's change"),
                Column("Benchmark's"),
                Column("Points between"),
                Column("Usual from"),
                Column("Usual to"),
                Column("Response", "phrase"),
            ],
            [
                (
                    row.figure("what", "text"),
                    self.day.basket_names[row["basket"]].figure("name", "text"),
                    row.figure("basket_return_pct", "pct"),
                    row.figure("benchmark_return_pct", "pct"),
                    row.figure("relative_return_pct", "points"),
                    row.figure("usual_low_pct", "bound"),
                    row.figure("usual_high_pct", "bound"),
                    say(RESPONSES[row["is_muted"]]),
                )
                for row in self.reactions
            ],
        )

    def _target_table(self) -> list[Table]:
        return table(
            "targets",
            say("Target prices stated on the day"),
            [
                Column("Security", "words"),
                Column("Symbol", "phrase"),
                Column("Broker", "words"),
                Column("Target"),
                Column("Currency", "words"),
                Column("Close"),
                Column("Target above close"),
            ],
            [
                (
                    self.day.security_name(row),
                    row.figure("symbol", "text"),
                    row.figure("broker", "text"),
                    row.figure("target", "price"),
                    row.figure("currency", "text"),
                    row.figure("close", "price"),
                    row.figure("upside_pct", "pct"),
                )
                for row in self.targets
            ],
        )


def _target(row: Row, name: Figure) -> Text:
    text = say(
        "{broker} puts its target price of {name} at {target} {currency}",
        broker=row.figure("broker", "text"),
        name=name,
        target=row.figure("target", "price"),
        currency=CURRENCIES.get(row["currency"], row["currency"]),
    )
    if row["previous_target"] is not None:
        text += say(", after {before}", before=row.figure("previous_target", "price"))
    if row["upside_pct"] is None:
        return (*text, ".")
    side = direction(row["upside_pct"])
    if side == 0:
        return text + say(", the same as its close.")
    return text + say(
        ", {size} {side} its close.",
        side="above" if side > 0 else "below",
        size=row.figure("upside_pct", "pct_size"),
    )
