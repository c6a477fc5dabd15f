"""The results of checks, in words and as rows."""

from datetime import date

from dagster_project.audit.results import Finding, describe, result_of

NIGHT = date(2025, 9, 17)


def test_a_result_says_where_what_and_what_to_do() -> None:
    found = Finding("is odd", "warn", None, "HSI", NIGHT, "wsj_index", "wsj_index/HSI.csv", 7)
    assert describe(found) == "wsj_index/HSI.csv:7 2025-09-17 HSI: is odd"
    result = result_of("c", "t", "warn", "all is well", "look at it", [found] * 7)
    assert (result.passed, result.rows_found, len(result.offending_rows)) == (False, 7, 7)
    assert result.explanation.endswith("and 2 more; to do: look at it")
    assert result_of("c", "t", "warn", "all is well", "look", []).explanation == "all is well"
