"""The results of checks, in words and as rows."""

from dataclasses import replace
from datetime import date

from dagster_project.audit.results import Counts, Finding, describe, result_of

NIGHT = date(2025, 9, 17)


def test_a_result_says_where_what_and_what_to_do() -> None:
    found = Finding("is odd", "warn", None, "HSI", NIGHT, "wsj_index", "wsj_index/HSI.csv", 7)
    assert describe(found) == "wsj_index/HSI.csv:7 2025-09-17 HSI: is odd"
    rows = [found] * 7 + [replace(found, what="was odd", first_seen="R1")] * 2
    result = result_of("c", "t", "warn", "all is well", "look at it", rows, Counts(12, 7))
    assert (result.passed, result.rows_found, result.rows_new) == (False, 12, 7)
    assert result.rows_standing == 5
    assert len(result.offending_rows) == 9
    assert result.explanation.endswith(
        "and 2 more; 5 more stand since earlier releases, `closing-bell anomalies c` lists them; "
        "to do: look at it"
    )
    assert "was odd" not in result.explanation


def test_rows_that_stand_are_counted_and_not_told_again() -> None:
    stands = Finding("was odd", "warn", symbol="HSI", trade_date=NIGHT, first_seen="R1")
    result = result_of("c", "t", "warn", "all is well", "look", [stands], Counts(527))
    assert (result.rows_new, result.rows_standing) == (0, 527)
    assert result.explanation.startswith("nothing new; 527 stand since earlier releases, ")
    assert "was odd" not in result.explanation


def test_a_check_that_finds_nothing_says_what_holds() -> None:
    result = result_of("c", "t", "warn", "all is well", "look", [], Counts())
    assert (result.passed, result.explanation) == (True, "all is well")


def test_a_waived_row_is_told_and_fails_nothing() -> None:
    found = Finding("is odd", "block", symbol="HSI", trade_date=NIGHT, waiver="real (A. B.)")
    result = result_of("c", "t", "block", "all is well", "look", [found], Counts(waived=1))
    assert result.passed
    assert result.explanation == "all is well (1 waived: 2025-09-17 HSI: is odd [real (A. B.)])"
