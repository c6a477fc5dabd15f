"""Checks of what spans files, calendars and releases; dbt tests hold what one warehouse shows.

Belongs here: one function a check, from a connection to a `ReleaseCheck` with the worst rows in
words. Does not belong here: Dagster (`defs/checks.py`), tests of single tables (`dbt_project/`).

A check blocks where publishing would show wrong figures, and warns where the release is right but
lacks something or deserves a look.
"""

from dataclasses import dataclass
from datetime import date
from typing import Literal

import duckdb

from dagster_project.release import ReleaseCheck

# A feed's units are wrong when this share of a day's rows has an impossible average price.
LYING_SHARE = 0.5
SHOWN = 5


@dataclass(frozen=True)
class Check:
    """A check: what it is about, what its failure does, and how to find the rows it objects to.

    `query` yields one text a row that it objects to, worst first; `$changed_from` is the
    date from which the marts were rebuilt, so that a night's check costs a night.
    """

    name: str
    asset: tuple[str, ...]
    severity: Literal["block", "warn"]
    description: str
    query: str

    def run(self, con: duckdb.DuckDBPyConnection, changed_from: date) -> ReleaseCheck:
        """Look for rows to object to among sessions from `changed_from` on."""
        parameters = {"changed_from": changed_from} if "$changed_from" in self.query else {}
        rows = [text for (text,) in con.execute(self.query, parameters).fetchall()]
        shown = "; ".join(rows[:SHOWN]) + ("; …" if len(rows) > SHOWN else "")
        return ReleaseCheck(
            check_name=self.name,
            asset=self.asset[-1],
            severity=self.severity,
            passed=not rows,
            rows_found=len(rows),
            explanation=shown if rows else self.description,
        )


CHECKS = (
    Check(
        "feeds_usable",
        ("main", "file_load"),
        "warn",
        "Every feed's spec is right and its folder is there.",
        """select problem from raw.feed_problem order by feed""",
    ),
    Check(
        "files_set_aside",
        ("main", "file_load"),
        "warn",
        "Every file in landing could be read.",
        """select path || ': ' || reason from raw.file where status = 'set_aside' order by path""",
    ),
    Check(
        "rows_refused",
        ("main", "rejected_row"),
        "warn",
        "No row was refused, but for markets that are not covered.",
        """select file.path || ':' || min(line_number) || ': ' || count(*) || ' row(s): '
            || arg_min(refused.reason, line_number)
        from raw.rejected_row as refused join raw.file as file using (file_id)
        where reason_code not in ('market_not_covered', 'file_set_aside')
        group by file.path, reason_code order by count(*) desc, file.path""",
    ),
    Check(
        "rows_on_closed_days",
        ("main", "dim_session"),
        "warn",
        "No file states figures for a day on which its market was closed.",
        """select file || ':' || line_number || ': ' || reason from main.rejected_row
        where reason_code = 'not_a_session' order by file, line_number""",
    ),
    Check(
        "sessions_without_figures",
        ("main", "dim_session"),
        "warn",
        "Every session asked for has figures of its market.",
        """select session.market || ' ' || session.trade_date || ': no file has its turnover or '
            || 'an index of it; fetch it, or correct seeds/session_override.csv'
        from main.dim_session as session
        where session.trade_date >= $changed_from
        and exists (select 1 from raw.asked_dates
            where session.trade_date between from_date and to_date)
        and not exists (
            select 1 from main.index_performance join main.dim_index using (symbol)
            where dim_index.market = session.market
            and index_performance.trade_date = session.trade_date)
        and not exists (
            select 1 from main.market_turnover as turnover
            where turnover.market = session.market
            and turnover.trade_date = session.trade_date)
        and not exists (
            select 1 from main.market_breadth as breadth
            where breadth.market = session.market
            and breadth.trade_date = session.trade_date)
        order by session.trade_date desc""",
    ),
    Check(
        "deliveries_missing",
        ("main", "session_coverage"),
        "warn",
        "Every feed that is due delivered all it usually does for the last date asked for.",
        """select trade_date || ' ' || market || ' ' || feed || ': ' || received_symbols || ' of '
            || expected_symbols || ' expected'
        from main.session_coverage
        where status <> 'complete'
        and trade_date = (select max(to_date) from raw.asked_dates)
        order by feed, market""",
    ),
    Check(
        "feeds_disagree",
        ("main", "source_disagreement"),
        "warn",
        "Feeds that state the same figure agree, but for rounding.",
        """select trade_date || ' ' || symbol || ' ' || measure || ': ' || feed || ' ' || stated
            || ' (' || file || ':' || line_number || '), ' || other_feed || ' ' || other_stated
            || ' (' || other_file || ':' || other_line_number || ')'
        from main.source_disagreement where trade_date >= $changed_from
        order by abs(difference_pct) desc""",
    ),
    Check(
        "published_figures_hold",
        ("main", "published_figure_check"),
        "warn",
        "The warehouse contradicts no published figure of the sessions that changed.",
        """select trade_date || ' ' || source || ': ' || rtrim(statement, '.') || ': '
            || explanation
        from main.published_figure_check
        where verdict = 'contradicted' and trade_date >= $changed_from order by claim_id""",
    ),
    Check(
        "units_as_declared",
        ("main", "security_performance"),
        "block",
        "Turnover divided by volume lies between low and high, so volume and turnover come in "
        "the units that the feed declares.",
        f"""select trade_date || ' ' || feed || ': ' || wrong || ' of ' || rows
            || ' rows have turnover ÷ volume outside low and high (e.g. ' || example
            || '); correct the units in feeds/' || feed || '.yaml, or the file'
        from (
            select feed, trade_date, count(*) as rows,
                count(*) filter (where is_wrong) as wrong,
                min(symbol) filter (where is_wrong) as example
            from (
                select feed, trade_date, symbol, turnover::DOUBLE / volume < low / {1 + 0.5}
                    or turnover::DOUBLE / volume > high * {1 + 0.5} as is_wrong
                from main.security_performance
                where trade_date >= $changed_from and volume > 0 and turnover > 0
            ) group by feed, trade_date
        ) where wrong > rows * {LYING_SHARE} order by trade_date desc, feed""",
    ),
    Check(
        "change_follows_from_close",
        ("main", "security_performance"),
        "warn",
        "The change a feed states follows from its close and its previous close.",
        """select raw.trade_date || ' ' || raw.symbol || ' ' || raw.feed || ': stated change '
            || raw.change || ', from close and previous close '
            || (raw.close - raw.previous_close)
        from raw.security_close as raw
        where raw.trade_date >= $changed_from and raw.is_current
        and abs(raw.change - (raw.close - raw.previous_close)) > 0.011
        order by raw.trade_date desc""",
    ),
)


def run_checks(con: duckdb.DuckDBPyConnection, changed_from: date) -> list[ReleaseCheck]:
    """Every check of the catalogue, in its order."""
    return [check.run(con, changed_from) for check in CHECKS]
