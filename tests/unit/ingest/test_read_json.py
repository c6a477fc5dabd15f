"""JSON: the list of records at a path becomes rows.

Belongs here: documents that hold records or cells. Does not belong here: what the values mean
(`test_typed_rows.py`).
"""

import json
from decimal import Decimal
from typing import Any

import pytest

from tests.unit.ingest.support import RECORD, cells, read


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[]", "has nothing at data (ValueError"),
        ("{}", "has nothing at data (KeyError('data')); it begins: {}"),
        ('{"data": 5}', 'has no list at data, but "5"'),
        ('{"data": {"x": 1}}', 'has no list at data, but {"x": "1"}'),
        ('{"data": []}', "has no records at data; fetch it again"),
        ('{"data": [1, 2]}', 'item 1 of data is not a record: "1"; if its values have no names'),
        ('{"data": [null]}', "item 1 of data is not a record: null"),
        ('{"data": [{}]}', "line 1: column 'tradeDate' is missing"),
        ('{"data":\n[' + json.dumps(RECORD), "line 2: is not JSON"),
        ('{"data":\n[' + json.dumps(RECORD) + "]", "line 2: is not JSON"),
        (json.dumps({"data": [RECORD]}) + "x", "Extra data"),
        ("callback(" + json.dumps({"data": [RECORD]}), "is cut off: callback( has no end"),
        ("data =\n" + json.dumps({"data": [RECORD]})[:-1], "line 2: is not JSON"),
        ("<html>", "line 1: is a web page"),
        ('{"data": ' + "[" * 100_000, "RecursionError"),
        ('{"data": [{"close": 1, "close": 2}]}', "an object has a key twice"),
        ('{"data": [{"close": ' + "1" * 100_000 + "}]}", "column 'tradeDate' is missing"),
    ],
)
def test_json_that_is_no_use_is_quarantined(text: str, reason: str) -> None:
    assert reason in (read("csindex", "931743.json", text).report.reason or "")


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (True, "true"),
        (["x"], '["x"]'),
        ({"a": "x"}, '{"a": "x"}'),
        ("\ud800", "\\ud800"),
        ("", None),
    ],
)
def test_json_values_that_are_no_numbers_are_rejected(value: Any, shown: str | None) -> None:
    records = [RECORD, RECORD | {"tradeDate": "20230720", "close": value}]
    reading = read("csindex", "931743.json", json.dumps({"data": records}))
    code, reason = reading.rejected[2]
    if shown is None:
        assert code == "missing_value"
    else:
        assert (code, f"'close' has '{shown}'" in reason) == ("bad_number", True)


def test_records_on_one_line_of_json_are_kept_apart() -> None:
    days = ["20230719", "20230720", "20230720", "20230721", "20230721"]
    records = [RECORD | {"tradeDate": day} for day in days]
    records[4]["open"] = 3451
    reading = read("csindex", "931743.json", json.dumps({"data": records}))
    assert [(row["line_number"], row["is_duplicate"]) for row in reading.good] == [
        (1, False), (2, False), (3, True),
    ]  # fmt: skip
    assert list(reading.rejected) == [4, 5]
    assert "3451" in reading.rows[-1]["raw_text"]


def test_a_nan_of_json_is_absent_and_an_optional_key_may_be_missing() -> None:
    text = json.dumps(
        {"data": [RECORD, RECORD | {"tradeDate": "20230720", "change": float("nan")}]}
    )
    first, second = read("csindex", "931743.json", text).good
    assert (first["open"], second["change"], first["change"]) == (Decimal("3450.1"), None, None)


def test_turnover_of_hkex() -> None:
    text = cells(
        ("2025/09/16", "", "1,234,567,890", "2,345", "678"),
        ("2024/12/24", "*", "987,654", "12", "3"),
        ("2025/09/15", "?", "1,000", "1", "1"),
        ("2025/09/12", "", "12,34", "1", "1"),
        ("2025/09/11", "", "-", "1", "1"),
    )
    reading = read("hkex_turnover", "gem_2025.json", "\ufeff" + text)
    assert [
        (row["segment"], row["turnover"], row["volume"], row["deals"], row["is_half_day"])
        for row in reading.good
    ] == [("gem", 1234567890, 2345, 678, False), ("gem", 987654, 12, 3, True)]
    assert [code for code, _ in reading.rejected.values()] == [
        "bad_number", "bad_number", "missing_value",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ([{"row": 1, "col": 0}], "has an item that is not a cell (row, col, text)"),
        ([1], "has an item that is not a cell"),
        ([{"row": 1, "col": 0, "text": "a"}] * 2, "row 1 has two cells 'date'"),
    ],
)
def test_cells_that_are_none(body: list[Any], reason: str) -> None:
    text = json.dumps({"tables": [{"body": body}]})
    assert reason in (read("hkex_turnover", "main_2025.json", text).report.reason or "")
