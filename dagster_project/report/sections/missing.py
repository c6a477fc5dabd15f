"""Missing or flagged: deliveries that lack something, rejected data, checks that gave a warning."""

from collections.abc import Iterable
from functools import cached_property

from dagster_project.report.day import index_order
from dagster_project.report.figures import Row, Text, listed, paragraph, say
from dagster_project.report.section import Section
from dagster_project.report.tables import Column, Table, table
from dagster_project.report.wording import PLACES


class Missing(Section):
    name = "tonight"
    title = "Missing or flagged"
    order = 90
    on_closed_days = True
    is_for_engineers = True

    # Rows

    @cached_property
    def followed(self) -> list[Row]:
        """The indices that files reported of late, whether they have a close today or not."""
        rows = self.published.rows(
            "dim_index",
            "where symbol in (select symbol from index_performance "
            "where trade_date between cast(? as date) - 30 and ?) order by symbol",
            [self.day.trade_date] * 2,
        )
        return sorted(rows, key=index_order)

    @cached_property
    def with_turnover(self) -> set[str]:
        """The markets whose turnover is known."""
        rows = self.published.rows("market_turnover", "where trade_date = ?", [self.day.trade_date])
        return {row["market"] for row in rows}

    @cached_property
    def coverage(self) -> list[Row]:
        """Deliveries that are missing or incomplete."""
        return self.published.rows(
            "session_coverage",
            "where trade_date = ? and status <> 'complete' order by feed, market",
            [self.day.trade_date],
        )

    @cached_property
    def failed_checks(self) -> list[Row]:
        return self.published.rows(
            "release_check",
            "where not passed and release_id = ? order by asset, check_name",
            [self.day.release["release_id"]],
        )

    @cached_property
    def quarantined(self) -> list[Row]:
        return self.published.rows("file_load", "where status = 'set_aside' order by file")

    @cached_property
    def rejected(self) -> list[Row]:
        """Rows rejected for one reason: `count(*)`, `min(reason_code)`, `min(file)`."""
        measures = ("min(reason_code)", "min(file)")
        return list(self.published.counts("rejected_row", "reason_code", measures).values())

    @cached_property
    def disagreements(self) -> Row:
        return self.published.total(
            "source_disagreement", "count(*)", trade_date=self.day.trade_date
        )

    # Sentences

    def paragraphs(self) -> list[Text]:
        return [] if self.day.is_closed else [paragraph(self._sentences())]

    def _sentences(self) -> Iterable[Text]:
        """What a reader of the day lacks; the tables have the rest."""
        traded = [market for market in self.day.markets if market["market"] in self.day.sessions]
        with_close = {row["symbol"] for row in self.day.indices}
        lacking = [
            say("a close of the {name}", name=row.figure("name", "text"))
            for row in self.followed
            if row["symbol"] not in with_close and row["market"] in self.day.sessions
        ]
        for what, has in (
            ("closes of securities", self.day.breadth),
            ("the turnover", self.with_turnover),
        ):
            places = [say(PLACES[m["market"]]) for m in traded if m["market"] not in has]
            if places:
                lacking.append(say("{what} of {places}", what=what, places=listed(places, "or")))
        if lacking:
            yield say("No file states {lacking}.", lacking=listed(lacking, "or"))
        if self.coverage:
            yield say("Not every delivery that is due has arrived whole.")

    # Tables

    def tables(self) -> list[Table]:
        return [
            *self._coverage_table(),
            *self._check_table(),
            *self._quarantine_table(),
            *self._rejection_table(),
        ]

    def _coverage_table(self) -> list[Table]:
        return table(
            "coverage",
            say("Deliveries of the day that are missing or incomplete"),
            [
                Column("Feed", "words"),
                Column("Market", "words"),
                Column("Status", "words"),
                Column("Symbols due"),
                Column("Received"),
                Column("First missing", "words"),
            ],
            [
                (
                    row.figure("feed", "text"),
                    say(PLACES[row["market"]]),
                    row.figure("status", "text"),
                    row.figure("expected_symbols", "count"),
                    row.figure("received_symbols", "count"),
                    row.figure("first_missing_symbol", "text"),
                )
                for row in self.coverage
            ],
        )

    def _check_table(self) -> list[Table]:
        return table(
            "checks",
            say("Checks of the release that gave a warning"),
            [
                Column("Check", "phrase"),
                Column("Of", "phrase"),
                Column("Rows"),
                Column("Found", "words"),
            ],
            [
                (
                    row.figure("check_name", "text"),
                    row.figure("asset", "text"),
                    row.figure("rows_found", "count"),
                    row.figure("explanation", "shortened"),
                )
                for row in self.failed_checks
            ],
        )

    def _quarantine_table(self) -> list[Table]:
        return table(
            "quarantined",
            say("Files quarantined"),
            [Column("File", "words"), Column("Feed", "words"), Column("Why", "words")],
            [
                [row.figure(column, "text") for column in ("file", "feed", "reason")]
                for row in self.quarantined
            ],
        )

    def _rejection_table(self) -> list[Table]:
        return table(
            "rejected",
            say("Lines rejected, of all files of the release"),
            [Column("Reason", "words"), Column("Lines"), Column("First file", "words")],
            [
                (
                    row.figure("min(reason_code)", "text"),
                    row.figure("count(*)", "count"),
                    row.figure("min(file)", "text"),
                )
                for row in self.rejected
            ],
        )

    def notes(self) -> list[Text]:
        if self.disagreements["count(*)"]:
            return [
                say(
                    "Feeds disagree on {count} figures of the day; `source_disagreement` has each.",
                    count=self.disagreements.figure("count(*)", "count"),
                )
            ]
        if not self.tables():
            return [say("Nothing is missing and no check gave a warning.")]
        return []
