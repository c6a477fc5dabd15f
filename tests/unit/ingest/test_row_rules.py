"""Why a row is rejected, by that row alone.

Belongs here: what a row's values, its file's name and the time of delivery say against it. Does not
belong here: how cells become values (`test_typed_rows.py`), what the rows around it say
(`test_file_rules.py`).
"""

from datetime import date, datetime
from decimal import Decimal

import pytest

from dagster_project.ingest.feed_spec import FeedSpec
from tests.unit.ingest.support import DAY, HONG_KONG, HSI, SPECS, day_line, hsi_line, read

# --- Values that make no sense -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cells", "code", "reason"),
    [
        ({"close": "0"}, "not_positive", "close is 0.000000, but must be above 0"),
        ({"close": "-1", "low": "-2"}, "not_positive", "low is -2.000000, but must be above 0"),
        ({"open": "0"}, "not_positive", "open is 0.000000, but must be above 0"),
        ({"high": "26400", "low": "26600"}, "high_below_low",
         "high 26400.000000 is below low 26600.000000; columns may be swapped"),
        ({"close": "26700"}, "close_out_of_range",
         "close 26700.000000 is above high 26600.000000"),
        ({"close": "26300"}, "close_out_of_range",
         "close 26300.000000 is below low 26400.000000"),
        ({"close": "26600.0016"}, "close_out_of_range",
         "close 26600.001600 is above high 26600.000000"),
        ({"date": "2025-09-16"}, "bad_date", "'2025-09-16' is not a date of the form %m/%d/%y"),
        ({"date": "13/01/25"}, "bad_date", "'13/01/25' is not a date of the form %m/%d/%y"),
        ({"date": "02/29/25"}, "bad_date", "'02/29/25' is not a date of the form %m/%d/%y"),
        ({"date": "０９/16/25"}, "bad_date", "'０９/16/25' is not a date of the form %m/%d/%y"),
        ({"date": ""}, "bad_date", "'' is not a date of the form %m/%d/%y"),
        ({"open": "26600.0016"}, "open_out_of_range",
         "open 26600.001600 is above high 26600.000000"),
        ({"open": "26399.99"}, "open_out_of_range",
         "open 26399.990000 is below low 26400.000000"),
    ],
)  # fmt: skip
def test_rows_that_make_no_sense_are_rejected(
    cells: dict[str, str], code: str, reason: str
) -> None:
    good = HSI + hsi_line(date="09/15/25") + "\n"
    reading = read("wsj_index", "HSI.csv", good + hsi_line(**cells))
    assert reading.rejected == {3: (code, reason)}


def test_rounding_of_an_index_is_no_contradiction() -> None:
    assert len(read("wsj_index", "HSI.csv", HSI + hsi_line(close="26600.0015")).good) == 1


@pytest.mark.parametrize("text", ["0025-09-16", "0000-01-01", "1899-12-31"])
def test_dates_of_another_age_are_rejected(text: str) -> None:
    header = "date,open,close,high,low,volume,amount,turn,pctChg\n"
    rest = ",1,1,1,1,1,1,1,1\n"
    reading = read("baostock_index", "sh000001.csv", f"{header}2025-09-16{rest}{text}{rest}")
    assert reading.rejected[3][0] == "bad_date"


@pytest.mark.parametrize(
    ("cells", "code"),
    [
        ({"amount": "10000000000000"}, "bad_number"),
        ({"vol": "99999999999999999"}, "bad_number"),
        ({"vol": "-1"}, "negative"),
        ({"amount": "-0.001"}, "negative"),
        ({"pre_close": "0"}, "not_positive"),
        ({"trade_date": "20250402"}, "wrong_date"),
        ({"ts_code": "1.SZ"}, "unknown_symbol"),
        ({"ts_code": "'; drop table parsed; --"}, "unknown_symbol"),
        ({"close": "11.3902"}, "close_out_of_range"),
        ({"vol": "1.2e5x"}, "bad_number"),
    ],
)
def test_rows_of_a_day_that_make_no_sense_are_rejected(cells: dict[str, str], code: str) -> None:
    text = DAY + day_line(ts_code="000002.SZ") + "\n" + day_line(**cells)
    reading = read("tushare_daily", "20250403.csv", text)
    assert [found for found, _ in reading.rejected.values()] == [code]


def test_the_symbols_of_name_and_column_must_agree() -> None:
    header = "日期,股票代码,开盘,收盘,最高,最低,成交量,成交额,振幅,涨跌幅,涨跌额,换手率\n"
    rest = ",1,1,1,1,1,100,0,0,0,1\n"
    text = f"{header}2025-09-16,000333{rest}2025-09-15,000334{rest}"
    reading = read("eastmoney_a_share", "000333.csv", text)
    assert [row["symbol"] for row in reading.good] == ["000333.SZ"]
    assert reading.rejected == {
        3: ("wrong_symbol", "the row is for '000334', but the file is named for 000333.SZ")
    }


# --- What a row says twice -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cells", "what"),
    [
        (
            {"change": "0.03"},
            "change 0.030000 is not close 11.340000 minus previous close 11.370000",
        ),
        ({"pre_close": "11.36"}, "change -0.030000 is not close"),
        ({"close": "11.35"}, "change -0.030000 is not close 11.350000"),
        (
            {"pct_chg": "0.2639"},
            "change of 0.2639 % is not change -0.030000 in percent of 11.370000",
        ),
        ({"pct_chg": "-0.27"}, "change of -0.27 %"),
        ({"pct_chg": "-26.39"}, "change of -26.39 %"),
    ],
)
def test_a_change_that_contradicts_its_row_is_rejected(cells: dict[str, str], what: str) -> None:
    content = DAY + day_line(ts_code="000002.SZ") + "\n" + day_line(**cells)
    code, reason = read("tushare_daily", "20250403.csv", content).rejected[3]
    assert code == "change_contradicts"
    assert reason.startswith(what)
    assert reason.endswith("; one of the three is wrong")


def test_rounding_of_a_change_is_no_contradiction() -> None:
    lines = [
        day_line(pct_chg="-0.26"),
        day_line(ts_code="000002.SZ", pct_chg="-0.264"),
        day_line(ts_code="000004.SZ", pct_chg="-0.2639%"),
    ]
    assert len(read("tushare_daily", "20250403.csv", DAY + "\n".join(lines)).good) == 3


def test_some_vendors_opens_lie_a_little_outside() -> None:
    text = "Price,Close,High,Low,Open,Volume\nTicker,0005.HK\nDate,,,,,\n"
    text += "2025-09-15,100,100,100,102.9,1\n2025-09-16,100,100,100,96.9,1\n"
    reading = read("yahoo_hk", "0005.HK.csv", text)
    assert [row["open"] for row in reading.good] == [Decimal("102.9")]
    assert reading.rejected[5][0] == "open_out_of_range"


# --- When a file was delivered -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("delivered", "rejected"),
    [
        ("2025-09-16T11:45+08:00", {3}),
        ("2025-09-16T16:03+08:00", {3}),  # the closing auction ends at 16:08 to 16:10
        ("2025-09-16T08:09:59+00:00", {3}),
        ("2025-09-16T08:10:00+00:00", set()),
        ("2025-09-16T16:10+08:00", set()),
        ("2025-09-15T20:00+08:00", {3}),
        ("2025-09-15T23:59-12:00", set()),
        ("2025-09-14T20:00+08:00", {2, 3}),
        ("2031-01-01T00:00+08:00", set()),
        ("1970-01-01T00:00+00:00", set()),
        ("1980-01-01T00:00+00:00", set()),
    ],
)
def test_what_came_before_the_close_is_no_close(delivered: str, rejected: set[int]) -> None:
    text = HSI + hsi_line(date="09/15/25") + "\n" + hsi_line()
    reading = read("wsj_index", "HSI.csv", text, delivered=datetime.fromisoformat(delivered))
    if len(rejected) == 2:
        assert reading.report.reason is not None
    assert set(reading.rejected) == rejected
    assert {code for code, _ in reading.rejected.values()} <= {"before_the_close"}


def test_what_is_said_of_a_midday_snapshot() -> None:
    at = datetime(2025, 9, 16, 11, 45, tzinfo=HONG_KONG)
    text = HSI + hsi_line(date="09/15/25") + "\n" + hsi_line()
    assert read("wsj_index", "HSI.csv", text, delivered=at).rejected[3][1] == (
        "the file was delivered on 2025-09-16 at 11:45 Hong Kong time, before the close of "
        "2025-09-16 at 16:10, so it has no final figures yet; fetch it again after that time"
    )


@pytest.mark.parametrize(("clock", "accepted"), [("12:05", 0), ("12:10", 1), ("13:30", 1)])
def test_on_a_half_day_hong_kong_closes_at_noon(clock: str, accepted: int) -> None:
    at = datetime.fromisoformat(f"2025-12-24T{clock}+08:00")
    early = {"XHKG": {date(2025, 12, 24): "12:10", date(2025, 12, 31): "12:10"}}
    line, today = hsi_line(date="12/24/25"), date(2025, 12, 24)
    reading = read("wsj_index", "HSI.csv", HSI + line, today, at, early)
    assert len(reading.good) == accepted
    # Without that calendar it is a full day.
    assert read("wsj_index", "HSI.csv", HSI + line, today, at).good == []


@pytest.mark.parametrize("feed", sorted(SPECS))
def test_figures_are_final_when_their_market_says_so(feed: str) -> None:
    """Of Hong Kong after the auction; volumes of the mainland after trading at the close."""
    spec = SPECS[feed]
    times = spec.closes_at.values() if isinstance(spec.closes_at, dict) else [spec.closes_at]
    assert set(times) <= {"XHKG", "15:30", None}
    if {"index_close", "security_close", "market_turnover"} & set(spec.records):
        assert None not in times


def test_each_market_closes_at_its_own_time() -> None:
    at = datetime(2025, 9, 16, 15, 30, tzinfo=HONG_KONG)
    header = "date,open,high,low,close,symbol,name,source,fetch_time\n"
    text = header + "2025-09-15,1,1,1,1,x,x,x,x\n2025-09-16,1,1,1,1,x,x,x,x\n"
    accepted = {
        name: read("sina_index", name, text, delivered=at).report.rows_accepted
        for name in ("hstech.csv", "sz399006.csv")
    }
    assert accepted == {"hstech.csv": 1, "sz399006.csv": 2}


def test_no_volume_of_hong_kong_counts_lots() -> None:
    """A lot is 100 shares in the mainland, and in Hong Kong as many as each issuer chose."""
    spec = FeedSpec.model_validate({
        "feed": "vendor", "title": "Closes", "vendor": "V", "files": "{code}.csv",
        "content": "history", "priority": 40, "format": {"type": "csv"},
        "records": ["security_close"], "symbol": {"file": "code", "scheme": "exchange_code"},
        "currency": "HKD",
        "columns": {
            "trade_date": {"column": "date", "format": "%Y-%m-%d"},
            "close": {"column": "close", "unit": "HKD"},
            "volume": {"column": "volume", "unit": "lots"},
        },
    })  # fmt: skip
    text = "date,close,volume\n2025-09-16,106.5,39756\n"
    assert "has a lot of its own" in str(read(spec, "HK00005.csv", text).report.reason)
    assert [row["volume"] for row in read(spec, "sz200011.csv", text).good] == [3_975_600]


def test_rows_of_a_day_to_come_are_rejected() -> None:
    text = "event,date,basket,what\nx,2025-09-16,b,w\nx,2025-09-18,b,w\n"
    assert read("market_event", "events.csv", text).rejected[3] == (
        "future_date",
        "2025-09-18 is in the future; the file is read again when that day has come",
    )
