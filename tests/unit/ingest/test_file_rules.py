"""Why rows are rejected, or a file quarantined, by what the rows of one file say together.

Belongs here: units and levels, repeated and contradicting records. Does not belong here: what a row
says against itself (`test_row_rules.py`).
"""

import math
from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from dagster_project.ingest.file_rules import levels_off
from tests.unit.ingest.support import (
    DAY,
    HSI,
    SPECS,
    Reading,
    cells,
    day_line,
    hsi_line,
    read,
    read_several,
)

# --- Units ---------------------------------------------------------------------------------------


POWERS = [10.0**power for power in (-8, -4, -3, -2, -1, 1, 2, 3, 4, 8)]


@st.composite
def traded_days(draw: st.DrawFn) -> tuple[str, str, str, str]:
    """Cells of a day on which average and rounding are as awkward as they can be."""
    low = draw(st.integers(50, 100_000)) / 100
    high = round(low * draw(st.floats(1, 1.5)), 2)
    average = low + (high - low) * draw(st.floats(0, 1))
    lots = draw(st.integers(60, 10_000_000))
    thousands = max(round((lots + draw(st.floats(-0.5, 0.5))) * average / 10), 0)
    return f"{low:.2f}", f"{high:.2f}", str(lots), str(thousands)


def priced_line(symbol: str, low: str, high: str, lots: str, thousands: str) -> str:
    return day_line(
        ts_code=symbol, open=low, high=high, low=low, close=high, pre_close=high, change="0",
        pct_chg="0", vol=lots, amount=thousands,
    )  # fmt: skip


@settings(max_examples=25, deadline=None)
@given(st.lists(traded_days(), min_size=3, max_size=8), st.data())
def test_a_row_in_another_unit_is_always_rejected_and_no_other_ever(
    days: list[tuple[str, str, str, str]], data: st.DataObject
) -> None:
    lines = [priced_line(f"{number:06}.SZ", *day) for number, day in enumerate(days)]
    reading = read("tushare_daily", "20250403.csv", DAY + "\n".join(lines))
    assert (reading.rejected, reading.report.reason) == ({}, None)
    chosen = data.draw(st.integers(0, len(days) - 1))
    low, high, lots, thousands = days[chosen]
    factor = data.draw(st.sampled_from(POWERS))
    if data.draw(st.booleans()):
        lots = f"{float(lots) * factor:.10f}"
    else:
        thousands = f"{max(float(thousands), 60) * factor:.10f}"
    lines[chosen] = priced_line(f"{chosen:06}.SZ", low, high, lots, thousands)
    rejected = read("tushare_daily", "20250403.csv", DAY + "\n".join(lines)).rejected
    assert list(rejected) == [chosen + 2]
    assert rejected[chosen + 2][0] in {"unit_or_price_wrong", "bad_number"}


def test_what_is_said_of_a_row_in_another_unit() -> None:
    content = DAY + day_line(ts_code="000002.SZ") + "\n" + day_line(vol="64391391")
    reading = read("tushare_daily", "20250403.csv", content)
    assert reading.rejected == {
        3: ("unit_or_price_wrong",
            "turnover ÷ volume is 0.1134, about 0.01 × the close 11.340000: volume (lots) or "
            "turnover (thousand CNY) is in another unit than feeds/tushare_daily.yaml declares, "
            "or the price is wrong")
    }  # fmt: skip
    prices = dict.fromkeys(("open", "high", "low", "close", "pre_close"), "1134")
    cells = prices | {"change": "0", "pct_chg": "0"}
    content = DAY + day_line(ts_code="000002.SZ") + "\n" + day_line(**cells)
    assert read("tushare_daily", "20250403.csv", content).rejected[3][0] == "unit_or_price_wrong"


def test_a_file_in_another_unit_is_quarantined_with_one_reason() -> None:
    lines = [day_line(ts_code=f"{number:06}.SZ", vol="64391391") for number in range(6)]
    lines[4] = day_line(ts_code="000004.SZ")
    reading = read("tushare_daily", "20250403.csv", DAY + "\n".join([*lines, "junk"]))
    reason = reading.report.reason or ""
    assert reason.startswith("line 2: turnover ÷ volume is 0.1134, about 0.01 × the close 11.34")
    assert reason.endswith("or the price is wrong (likewise in 5 of 6 rows)")
    assert (reading.rows, reading.report.rows_rejected) == ([], 8)
    half = [*lines[:3], *(day_line(ts_code=f"{number:06}.SZ") for number in (3, 4, 5))]
    reading = read("tushare_daily", "20250403.csv", DAY + "\n".join(half))
    assert (reading.report.reason, list(reading.rejected)) == (None, [2, 3, 4])


EASTMONEY = "日期,股票代码,开盘,收盘,最高,最低,成交量,成交额,振幅,涨跌幅,涨跌额,换手率\n"


def adjusted(*days: tuple[float, float, float]) -> str:
    """Days of eastmoney_a_share from January 2024 on: adjusted price, lots, price that was paid."""
    return EASTMONEY + "".join(
        f"{date(2024, 1, 1) + timedelta(number)},000333,{price},{price},{price},{price},{lots},"
        f"{lots * 100 * paid:.2f},0,0,0,0\n"
        for number, (price, lots, paid) in enumerate(days)
    )


def test_adjusted_prices_are_checked_where_they_can_be() -> None:
    # What was paid as 30 is 8 today, as thirty shares came for ten.
    fine: list[tuple[float, float, float]]
    fine = [(8, 5_000, 30 + number / 10) for number in range(30)]
    fine += [(8, 20_000, 8 + number / 100) for number in range(30)]
    reading = read("eastmoney_a_share", "000333.csv", adjusted(*fine))
    assert (reading.rejected, reading.report.reason) == ({}, None)

    for factor in (0.01, 0.1, 10, 100):
        for flipped in ({17}, {0}, {59}, set(range(20)), set(range(45, 60)), {3, 4, 50, 51, 58}):
            days = [
                (price, lots * factor if number in flipped else lots, paid)
                for number, (price, lots, paid) in enumerate(fine)
            ]
            text = adjusted(
                *((a, round(b), c * fine[n][1] / b) for n, (a, b, c) in enumerate(days))
            )
            reading = read("eastmoney_a_share", "000333.csv", text)
            assert {line - 2 for line in reading.rejected} == flipped
            assert {code for code, _ in reading.rejected.values()} == {"unit_or_price_wrong"}
        whole = adjusted(*((a, round(b * factor), c / factor) for a, b, c in fine))
        reason = read("eastmoney_a_share", "000333.csv", whole).report.reason or ""
        assert "is in another unit than feeds/eastmoney_a_share.yaml declares" in reason
    fine[40] = (800, 20_000, 8.1)
    reading = read("eastmoney_a_share", "000333.csv", adjusted(*fine))
    assert {line: code for line, (code, _) in reading.rejected.items()} == {
        42: "unit_or_price_wrong"
    }


def test_a_unit_that_flips_inside_an_index_file() -> None:
    header = "date,open,close,high,low,volume,amount,turn,pctChg\n"

    def history(*volumes: int) -> Reading:
        lines = [
            f"{date(2024, 1, 1) + timedelta(number)},1,1,1,1,{volume},{12000 + number},0,0"
            for number, volume in enumerate(volumes)
        ]
        return read("baostock_index", "sh000001.csv", header + "\n".join(lines))

    assert history(1000, 1000, 1200, 6000, 1100, 0).rejected == {}
    reading = history(1000, 100_000, 1000, 1000)
    assert reading.rejected == {
        3: ("unit_or_price_wrong",
            "turnover ÷ volume is 0.12001, about 0.01 × its level in the rows around: volume "
            "(shares) or turnover (CNY) is in another unit than feeds/baostock_index.yaml "
            "declares, or is wrong")
    }  # fmt: skip
    assert set(history(*[1000] * 3, *[100_000] * 2).rejected) == {5, 6}
    assert set(history(*[100_000] * 2, *[1000] * 3).rejected) == {2, 3}
    assert "(likewise in 4 of 4 rows)" in (history(1000, 1000, 10, 10).report.reason or "")


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.floats(-0.1, 0.1), min_size=3, max_size=120),
    st.floats(-0.01, 0.01),
    st.sampled_from([factor for factor in POWERS if not 0.05 < factor < 20]),
    st.data(),
)
def test_jumps_are_distinguished_from_drift_and_noise(
    noise: list[float], drift: float, factor: float, data: st.DataObject
) -> None:
    rates = [math.exp(drift * number + wobble) for number, wobble in enumerate(noise)]
    assert levels_off(rates) == [None] * len(rates)
    numbers = st.integers(0, len(rates) - 1)
    flipped = data.draw(st.sets(numbers, max_size=(len(rates) - 1) // 2))
    if data.draw(st.booleans()):  # all in one piece
        start = data.draw(st.integers(0, len(rates) - len(flipped)))
        flipped = set(range(start, start + len(flipped)))
    scaled = [rate * factor if n in flipped else rate for n, rate in enumerate(rates)]
    assert {number for number, off in enumerate(levels_off(scaled)) if off} == flipped


def test_a_market_whose_turnover_and_deals_do_not_go_together() -> None:
    rows = [
        (f"2025/09/{day:02}", "", "5,000,000" if day == 10 else "5,000", "7,000", "100")
        for day in range(1, 17)
    ]
    reading = read("hkex_turnover", "gem_2025.json", cells(*rows))
    assert [code for code, _ in reading.rejected.values()] == ["unit_or_price_wrong"]
    rows[3] = (*rows[3][:4], "100,000")
    reason = read("hkex_turnover", "gem_2025.json", cells(*rows)).rejected[4][1]
    assert "turnover ÷ deals is 0.05, about 0.001 × its level in the rows around" in reason


# --- Repeats -------------------------------------------------------------------------------------


def test_identical_repeats_count_once_and_contradictions_not_at_all() -> None:
    lines = [
        hsi_line(), hsi_line(date="09/15/25"), hsi_line(), hsi_line(date="09/12/25"),
        hsi_line(date="09/15/25", open="26501"), hsi_line(), hsi_line(date="09/12/25", close="x"),
    ]  # fmt: skip
    reading = read("wsj_index", "HSI.csv", HSI + "\n".join(lines))
    assert [(row["line_number"], row["is_duplicate"]) for row in reading.good] == [
        (2, False), (4, True), (5, False), (7, True),
    ]  # fmt: skip
    reason = "lines 3, 6 report the same record with different values"
    assert reading.rejected[3] == reading.rejected[6] == ("contradicting_rows", reason)
    assert reading.rejected[8][0] == "bad_number"
    assert [row["raw_text"] for row in reading.rows if row["line_number"] in (3, 6)] == [
        lines[1], lines[4],
    ]  # fmt: skip


def test_files_of_several_layouts_are_checked_each_by_itself() -> None:
    spec, text = SPECS["wsj_index"], HSI + hsi_line() + "\n" + hsi_line()
    other = text.replace(", Open", ", Open, More", 1).replace(", 26500", ", 26500, x")
    readings = read_several(spec, {"HSI.csv": text.encode(), "HSCEI.csv": other.encode()})
    assert [reading.report.rows_duplicate for reading in readings.values()] == [1, 1]
    assert not any(reading.rejected for reading in readings.values())
