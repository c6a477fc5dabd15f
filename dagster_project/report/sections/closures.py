"""Closures: the markets that did not trade, and when they last did; text only, without a table."""

from collections.abc import Iterable, Sequence

from dagster_project.report.day import REGIONS
from dagster_project.report.figures import Figure, Row, Text, listed, paragraph, say
from dagster_project.report.section import Section
from dagster_project.report.wording import PLACES, weekday


class Closures(Section):
    name = "closures"
    title = "Closures"
    order = 40
    on_closed_days = True

    def headline(self) -> Text | None:
        return say("Markets closed") if self.day.is_closed else None

    def paragraphs(self) -> list[Text]:
        if self.day.is_closed:
            return self._closed_everywhere()
        return [paragraph(self._closed_regions())]

    def _closed_everywhere(self) -> list[Text]:
        markets = self.day.markets
        closed = say(
            "{places} were closed on {weekday}, {day}.",
            places=_places(markets),
            weekday=weekday(self.day.trade_date),
            day=self.day.report.figure("trade_date", "date"),
        )
        last = [
            (PLACES[market["market"]], session)
            for market in markets
            if (session := self.day.last_sessions.get(market["market"]))
        ]
        if not last:
            return [closed]
        if len({session["trade_date"] for _, session in last}) == 1:
            return [closed, say("They last traded on {day}.", day=_date(last[0][1]))]
        days = [say("{place} on {day}", place=place, day=_date(row)) for place, row in last]
        return [closed, say("The last sessions were in {days}.", days=listed(days))]

    def _closed_regions(self) -> Iterable[Text]:
        for region in REGIONS:
            if self.day.open_markets(region):
                continue
            markets = [market for market in self.day.markets if market["region"] == region]
            text = say(
                "{places} {were} closed",
                places=_places(markets),
                were="was" if len(markets) == 1 else "were",
            )
            last = self.day.last_sessions.get(markets[0]["market"])
            if last:
                text += say("; the last session there was on {day}", day=_date(last))
            yield (*text, ".")


def _places(markets: Sequence[Row]) -> Text:
    return listed(say(PLACES[market["market"]]) for market in markets)


def _date(session: Row) -> Figure:
    return session.figure("trade_date", "date")
