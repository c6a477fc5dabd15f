"""What of the checks' findings is new, what stands, and what withholds a release."""

from collections.abc import Iterator
from datetime import date, timedelta

import duckdb
import pytest

from dagster_project.audit import anomalies
from dagster_project.audit.policy import Policy
from dagster_project.audit.waivers import Waiver
from dagster_project.warehouse.state import Rebuild

MONDAY = date(2025, 9, 1)


def day(number: int) -> date:
    return MONDAY + timedelta(number)


def policy(**said: object) -> Policy:
    usual = {"asset": "main/t", "holds": "It holds.", "to_do": "look", "confidence": "certain"}
    return Policy.model_validate(usual | {"severity": "block"} | said)


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    """A warehouse of twenty sessions with one check, `odd`, whose rows the tests write."""
    with duckdb.connect() as con:
        con.execute("""
            create schema raw;
            create schema audit;
            create table raw.feed as
                from (values ('a', 'traded'), ('b', 'adjusted_ratio')) as t(feed, price_basis);
            create table main.dim_session as
                select date '2025-09-01' + cast(n as int) as trade_date, true as is_asked
                from range(20) as t(n);
            create table audit.restated_record (trade_date date);
            create table raw.pending_rebuild as select timestamp '2025-09-20 18:00' as noticed_at;
            create table raw.index_close (
                feed varchar, trade_date date, is_current boolean, loaded_at timestamp);
            create table raw.security_close as from raw.index_close;
            create table raw.market_turnover as from raw.index_close;
            create table odd_row (
                record_kind varchar, symbol varchar, trade_date date, feed varchar, what varchar);
            create view audit.odd as
                select * from odd_row
                where trade_date is null or trade_date >= getvariable('changed_from');
            """)
        anomalies.create_table(con)
        yield con


def find(
    con: duckdb.DuckDBPyConnection,
    rows: list[tuple[object, ...]],
    *,
    changed_from: date = MONDAY,
    all_from: date | None = None,
    series: tuple[str, ...] = (),
    released_to: date | None = None,
    waivers: tuple[Waiver, ...] = (),
    **said: object,
) -> list[tuple[str, date | None, str, str | None]]:
    """What is found in these rows: symbol, session, severity, first release."""
    con.execute("delete from odd_row")
    for row in rows:
        con.execute("insert into odd_row values (?, ?, ?, ?, ?)", row)
    changed = Rebuild(changed_from, all_from if series else changed_from, series)
    anomalies.find_anomalies(con, {"odd": policy(**said)}, waivers, changed, released_to)
    return con.execute(
        "select symbol, trade_date, severity, first_seen from finding order by trade_date, symbol"
    ).fetchall()


def row(number: int | None, symbol: str = "HSI", feed: str = "a", what: str = "is odd",
        kind: str = "index_close") -> tuple[object, ...]:  # fmt: skip
    return (kind, symbol, None if number is None else day(number), feed, what)


def test_in_a_first_load_only_the_last_session_is_evidence(con: duckdb.DuckDBPyConnection) -> None:
    found = find(con, [row(3), row(18), row(19)])
    assert [severity for _, _, severity, _ in found] == ["warn", "warn", "block"]


def test_the_sessions_since_the_last_release_are_evidence(con: duckdb.DuckDBPyConnection) -> None:
    found = find(con, [row(9), row(10), row(19)], released_to=day(9))
    assert [severity for _, _, severity, _ in found] == ["warn", "block", "block"]


def test_more_sessions_than_some_nights_are_a_history(con: duckdb.DuckDBPyConnection) -> None:
    found = find(con, [row(9), row(18), row(19)], released_to=day(8))
    assert [severity for _, _, severity, _ in found] == ["warn", "warn", "block"]


def test_a_corrected_session_is_evidence(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("insert into audit.restated_record values (?)", [day(4)])
    found = find(con, [row(3), row(4)], released_to=day(19))
    assert [severity for _, _, severity, _ in found] == ["warn", "block"]


def test_what_a_release_had_withholds_no_later_one(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("insert into audit.restated_record values (?)", [day(4)])
    find(con, [row(4)], severity="warn")
    anomalies.mark_released(con, "R1")
    assert find(con, [row(4)], released_to=day(19)) == [("HSI", day(4), "warn", "R1")]
    # Other figures at the same place are another finding.
    changed = find(con, [row(4, what="is odd again")], released_to=day(19))
    assert changed == [("HSI", day(4), "block", None)]


def test_sessions_that_a_night_does_not_look_at_keep_their_findings(
    con: duckdb.DuckDBPyConnection,
) -> None:
    find(con, [row(3), row(5)])
    anomalies.mark_released(con, "R1")
    night = find(con, [row(3), row(15)], changed_from=day(5), released_to=day(12))
    assert night == [("HSI", day(3), "warn", "R1"), ("HSI", day(15), "block", None)]
    assert con.execute("select count(*) from raw.anomaly").fetchall() == [(2,)]


def test_securities_that_did_not_change_keep_their_findings(
    con: duckdb.DuckDBPyConnection,
) -> None:
    def closes(*places: tuple[int, str]) -> list[tuple[object, ...]]:
        return [row(number, symbol, kind="security_close") for number, symbol in places]

    find(con, [*closes((5, "0700.HK"), (5, "9988.HK")), row(5)], scope="securities")
    anomalies.mark_released(con, "R1")
    # The check looks at tonight, and of the sessions before at one security, at indices and totals.
    night = find(
        con, closes((15, "9988.HK")), scope="securities",
        changed_from=day(4), series=("0700.HK",), all_from=day(15), released_to=day(12),
    )  # fmt: skip
    assert night == [("9988.HK", day(5), "warn", "R1"), ("9988.HK", day(15), "block", None)]


def test_what_is_of_no_session_is_found_anew_each_time(con: duckdb.DuckDBPyConnection) -> None:
    find(con, [row(None)], scope="everything")
    anomalies.mark_released(con, "R1")
    assert find(con, [row(None)], scope="everything", changed_from=day(9)) == [
        ("HSI", None, "warn", "R1")
    ]
    assert find(con, [], scope="everything", changed_from=day(9)) == []


def test_what_changed_since_the_release_does_not_stand(con: duckdb.DuckDBPyConnection) -> None:
    assert find(con, [row(19)], scope="changes") == [("HSI", day(19), "block", None)]
    assert con.execute("from raw.anomaly").fetchall() == []
    assert find(con, [], scope="changes", changed_from=day(20)) == []


def test_record_kind_and_prices_decide_the_severity(con: duckdb.DuckDBPyConnection) -> None:
    rows = [row(19, "A"), row(19, "B", kind="security_close"), row(19, "C", feed="b")]
    found = find(con, rows, severity="warn", record_kinds={"index_close": "block"}, adjusted="warn")
    assert [severity for _, _, severity, _ in found] == ["block", "warn", "warn"]


def test_a_waiver_is_taken_back_when_its_line_is(con: duckdb.DuckDBPyConnection) -> None:
    real = Waiver(
        check_name="odd", symbol="HSI", trade_date=day(3), reason="it was", who="A. Reviewer"
    )
    waived = "select symbol, waiver from raw.anomaly where waiver is not null"
    find(con, [row(3), row(4)], waivers=(real,))
    assert con.execute(waived).fetchall() == [("HSI", "it was (A. Reviewer)")]
    find(con, [], changed_from=day(19), released_to=day(19))
    assert con.execute(waived).fetchall() == []
    assert con.execute("select count(*) from raw.anomaly").fetchall() == [(2,)]


def test_what_a_feed_delivers_late_withholds_unless_it_is_a_history(
    con: duckdb.DuckDBPyConnection,
) -> None:
    def load(feed: str, sessions: int) -> None:
        con.execute(
            """insert into raw.index_close
            select ?, date '2025-09-01' + cast(n as int), true, timestamp '2025-09-20 18:05'
            from range(?) as t(n)""",
            [feed, sessions],
        )

    rows = [row(3, feed="a"), row(3, feed="b")]
    load("a", 4)
    load("b", 15)
    found = find(con, rows, released_to=day(19))
    assert sorted(severity for _, _, severity, _ in found) == ["block", "warn"]
    # Of a first load only the last session counts.
    assert {severity for _, _, severity, _ in find(con, rows)} == {"warn"}
