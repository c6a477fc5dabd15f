"""Whether an answer is the file of a day, by its bytes alone."""

from datetime import date
from pathlib import Path

import pytest

from dagster_project.fetch.judge import judge
from dagster_project.fetch.source_spec import load_sources
from seeds.sample import publishers
from seeds.sample.publishers import Channel, Quote

NIGHT, EVE = date(2025, 9, 17), date(2025, 9, 16)
OFFERED = load_sources(Path("/nowhere")).offered
SHARES = [
    Quote(f"{number:06}", "A", "10.00", "10.00", "10.50", "9.90", "10.10", 100, 1_000, "CNY")
    for number in range(1, 40)
]


def content(source: str, day: date) -> bytes:
    if source in ("hsi_bulletin", "hsi_industry_bulletin"):
        return publishers.hsi_bulletin(day, [("Hang Seng Index", "3", "4", "2", "1", "50")])
    if source in ("hkex_main_board", "hkex_gem"):
        board = "gem" if source == "hkex_gem" else "main"
        return publishers.daily_quotations(day, board, SHARES, sales=4_000)
    if source.startswith("eastmoney_index_"):
        header = "日期,开盘,收盘,最高,最低,成交量,成交额,振幅,涨跌幅,涨跌额,换手率"
        rows = [f"{each},1.0,2.0,2.0,1.0,5,500.0,1.0,1.0,1.0,1.0" for each in (EVE, day)]
        return "\n".join([header, *rows, ""]).encode()
    return {
        "hkex_stock_connect": publishers.stock_connect(
            day, [Channel("SSE Southbound", True, {"Total Turnover": "64,769.85"})]
        ),
        "sse_overview": publishers.sse_overview(day, {"17": ("9163.02", "508.58")}),
        "sse_closing_snapshot": publishers.sse_closing_snapshot(day, SHARES),
        "szse_overview": publishers.szse_overview_json(day, {"股票": "10,168.80"}),
        "szse_closing_snapshot": publishers.szse_closing_snapshot(day, SHARES),
        "csindex_931743": publishers.csindex(
            "931743", [(each, ["1", "2", "1", "2"], 5, "1.5") for each in (EVE, day)]
        ),
    }[source]


@pytest.mark.parametrize("source", sorted(OFFERED))
def test_the_file_of_the_day_and_no_other(source: str) -> None:
    answer = OFFERED[source].answer
    assert judge(answer, content(source, NIGHT), NIGHT).verdict == "file"
    assert judge(answer, content(source, EVE), NIGHT).verdict == "other_day"


@pytest.mark.parametrize("source", sorted(OFFERED))
@pytest.mark.parametrize(
    "answer",
    [b"", b"<html><body>Service Unavailable</body></html>", b"null", b"PK\3\4 cut", b"\xff" * 99],
)
def test_what_sites_send_in_place_of_a_file(source: str, answer: bytes) -> None:
    assert judge(OFFERED[source].answer, answer, NIGHT).verdict == "damaged"


# A table of lines has no end that could be missing; feeds see whether its last line is whole.
@pytest.mark.parametrize(
    "source", sorted(n for n in OFFERED if "bulletin" not in n and not OFFERED[n].akshare)
)
def test_a_file_that_was_cut_off(source: str) -> None:
    whole = content(source, NIGHT)
    for length in (len(whole) // 3, len(whole) - 9):
        assert judge(OFFERED[source].answer, whole[:length], NIGHT).verdict == "damaged"


def test_one_board_in_place_of_the_other() -> None:
    found = judge(OFFERED["hkex_gem"].answer, content("hkex_main_board", NIGHT), NIGHT)
    assert found.verdict == "damaged"
    assert "lacks 'GROWTH ENTERPRISE MARKET'" in found.reason


@pytest.mark.parametrize(
    ("source", "answer", "verdict"),
    [
        ("szse_overview", b'[{"error": "too many days", "data": []}]', "refused"),
        ("szse_overview", b'[{"error": null, "data": []}]', "empty"),
        ("sse_overview", b'{"result":[]}', "empty"),
        ("csindex_931743", b'{"code":"200","data":null}', "empty"),
        ("sse_closing_snapshot", publishers.sse_closing_snapshot(NIGHT, SHARES, 113000), "early"),
        ("sse_closing_snapshot", publishers.sse_closing_snapshot(NIGHT, SHARES, 93015), "early"),
    ],
)
def test_answers_that_say_why_there_is_no_file(source: str, answer: bytes, verdict: str) -> None:
    assert judge(OFFERED[source].answer, answer, NIGHT).verdict == verdict
