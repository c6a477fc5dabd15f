"""Claims: figures published elsewhere about the day, and whether the warehouse confirms them."""

from collections.abc import Iterable
from functools import cached_property

from dagster_project.report.figures import Row, Text, paragraph, say
from dagster_project.report.section import Section
from dagster_project.report.tables import Column, Table, table

VERDICTS = {"confirmed": "✓ confirmed", "contradicted": "✗ contradicted", "no_data": "no data"}


class Claims(Section):
    name = "claims"
    title = "Published figures checked"
    order = 80
    on_closed_days = True

    # Rows

    @cached_property
    def claims(self) -> list[Row]:
        return self.published.rows(
            "published_figure_check",
            """where trade_date = ?
            order by verdict <> 'contradicted', verdict <> 'no_data', claim_id""",
            [self.day.trade_date],
        )

    @cached_property
    def counts(self) -> dict[str, Row]:
        """Verdict, and `all` -> number of claims that have it."""
        checks, day = "published_figure_check", self.day.trade_date
        by_verdict = self.published.counts(checks, "verdict", trade_date=day)
        return by_verdict | {"all": self.published.total(checks, "count(*)", trade_date=day)}

    # Sentences

    def paragraphs(self) -> list[Text]:
        if self.day.is_closed or not self.claims:
            return []
        return [paragraph(self._sentences())]

    def _sentences(self) -> Iterable[Text]:
        counts = {verdict: row.figure("count(*)", "count") for verdict, row in self.counts.items()}
        if "confirmed" in counts:
            yield say(
                "Of {all} figures published elsewhere about the day, the warehouse confirms "
                "{confirmed}.",
                **counts,
            )
        for claim in self.claims:
            if claim["verdict"] == "contradicted":
                statement = claim.figure("statement", "sentence")
                yield say("It contradicts this: {statement}.", statement=statement)

    # Tables

    def tables(self) -> list[Table]:
        return table(
            "claims",
            say("What was published, and what the warehouse says"),
            [
                Column("Published", "words"),
                Column("By", "words"),
                Column("Verdict", "phrase"),
                Column("Why", "words"),
            ],
            [
                (
                    claim.figure("statement", "text"),
                    claim.figure("source", "text"),
                    say(VERDICTS[claim["verdict"]]),
                    claim.figure("explanation", "text"),
                )
                for claim in self.claims
            ],
        )
