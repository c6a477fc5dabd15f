"""A cell becomes a value in its canonical unit, or is rejected.

Belongs here: numbers, dates and rates, as text. Does not belong here: whether the values of a row
go together (`test_row_rules.py`).
"""

import json
from decimal import Decimal

import pytest

from tests.unit.ingest.support import DAY, HSI, RECORD, SPECS, day_line, hsi_line, read

# --- Numbers, absent or not ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    ["26,438.51", "26438,51", "２６４３８.51", "26438.51%", "1.57B", "0x10", "inf", "-inf", "1e400",
     "true", "26438.51.1", "--5", "HK$1", "26 438.51", "\u00a026438.51", "∞", "9" * 19,
     "9999999999999", "'; drop table parsed; --"],
)  # fmt: skip
def test_what_is_no_number_of_the_declared_format_is_rejected(text: str) -> None:
    line = hsi_line(close=f'"{text}"')
    reading = read("wsj_index", "HSI.csv", HSI + hsi_line(date="09/15/25") + "\n" + line)
    code, reason = reading.rejected[3]
    assert code == "bad_number"
    assert reason == f"column 'Close' has '{text}', which is not what feeds/wsj_index.yaml declares"
    assert reading.rows[-1]["raw_text"] == line


@pytest.mark.parametrize("text", ["", " ", "-", "--", "N/A", "NA", "null", "None", "nan", "NaN"])
def test_an_absent_number_is_null_only_where_the_column_is_optional(text: str) -> None:
    spec = SPECS["wsj_index"]
    optional = spec.columns["open"].model_copy(update={"optional": True})
    loose = spec.model_copy(update={"columns": spec.columns | {"open": optional}})
    good = HSI + hsi_line(date="09/15/25") + "\n"
    (_, row) = read(loose, "HSI.csv", good + hsi_line(open=text)).good
    assert row["open"] is None
    assert read(spec, "HSI.csv", good + hsi_line(open=text)).rejected[3] == (
        "missing_value",
        "the row has no open; if the vendor sometimes leaves it out, make it `optional` in "
        "feeds/wsj_index.yaml",
    )
    reading = read(spec, "HSI.csv", good + hsi_line(close=text))
    assert reading.rejected[3] == ("missing_value", "the row has no close")


def test_units_become_canonical_without_losing_a_digit() -> None:
    (row,) = read("tushare_daily", "20250403.csv", DAY + day_line()).good
    assert (row["volume"], row["turnover"]) == (64_391_391, Decimal("730375808.00"))
    assert (row["change"], row["change_pct"]) == (Decimal("-0.03"), -0.2639)
    record = json.dumps(RECORD | {"tradingValue": 0})
    for number, turnover in (("151.33", "15133000000"), ("1.2345678901", "123456789.01"),
                             ("99999999.99999999", "9999999999999999")):  # fmt: skip
        text = f'{{"data": [{record}]}}'.replace('"tradingValue": 0', f'"tradingValue": {number}')
        (row,) = read("csindex", "931743.json", text).good
        assert row["turnover"] == Decimal(turnover)


def test_an_adjustment_factor_is_a_ratio_above_zero() -> None:
    lines = ["ts_code,trade_date,adj_factor", "000001.SZ,20250917,134.5794"]
    lines += ["600519.SH,20250917,0", "600000.SH,20250917,"]
    reading = read("tushare_adj_factor", "20250917.csv", "\n".join([*lines, ""]))
    (row,) = reading.good
    assert (row["symbol"], row["adjustment_factor"]) == ("000001.SZ", Decimal("134.5794"))
    assert {line: code for line, (code, _) in reading.rejected.items()} == {
        3: "not_positive",
        4: "missing_value",
    }


# --- Numbers in disguise -------------------------------------------------------------------------


DISGUISED = [
    "1,57", "1.234,5", "1.57B", "5万", "−5", "- 5", "１２", "12.3*", "0x10", "0b11", "0o7", "1_000",
    "inf", "Infinity", "true", "12 345", "12'345", "$12", "1.2.3", "1e",
    "e5", "½", "٣", "1/2", "(12)", "12-", "1,36E8", "1.36 E8", "1.36D8", "1.36*10^8",
]  # fmt: skip


@pytest.mark.parametrize("column", ["close", "vol", "amount", "pct_chg"])
def test_no_number_in_disguise_is_taken_for_one(column: str) -> None:
    lines = [day_line(ts_code="600000.SH")] + [
        day_line(ts_code=f"{number:06}.SZ", **{column: f'"{text}"'})
        for number, text in enumerate(DISGUISED)
    ]
    reading = read("tushare_daily", "20250403.csv", DAY + "\n".join(lines))
    assert list(reading.rejected.values()) == [
        (
            "bad_number",
            f"column {column!r} has '{text}', which is not what feeds/tushare_daily.yaml declares",
        )
        for text in DISGUISED
    ]


@pytest.mark.parametrize(
    "text", ["643913.91", " 643913.91 ", "+643913.91", "643913.910", '"643913.91"']
)
def test_one_volume_in_many_spellings(text: str) -> None:
    (row,) = read("tushare_daily", "20250403.csv", DAY + day_line(vol=text)).good
    assert row["volume"] == 64_391_391


@pytest.mark.parametrize(
    "text", ["1.36E8", "1.36E+08", "1.36e8", "136e+6", "1.5902774E8", "-1E1", ".136E9", "1e8"]
)
@pytest.mark.parametrize("column", ["close", "vol", "amount", "pct_chg"])
def test_an_exponent_that_may_hide_digits_is_rejected(column: str, text: str) -> None:
    """One rule for all spellings: every digit left of the point must be there."""
    lines = [day_line(ts_code="600000.SH"), day_line(**{column: text})]
    reading = read("tushare_daily", "20250403.csv", DAY + "\n".join(lines))
    assert reading.rejected[3] == (
        "bad_number",
        f"column {column!r} has '{text}', which may lack digits: spreadsheets round like that; "
        "fetch the file itself",
    )


@pytest.mark.parametrize("text", ["5.36E8", "5.36e+8", "1e9"])
def test_an_exponent_in_json_is_not_expanded_before_it_is_judged(text: str) -> None:
    content = json.dumps({"data": [RECORD]}).replace("536439769", text)
    reading = read("csindex", "931743.json", content)
    assert f"has '{text}', which may lack digits" in str(reading.report.reason)


@pytest.mark.parametrize("text", ["1.13E+01", "1.134E1", "11.34e0", "1.1E-01"])
@pytest.mark.parametrize("column", ["close", "pct_chg", "change"])
def test_an_exponent_that_may_hide_decimals_is_rejected(column: str, text: str) -> None:
    lines = [day_line(ts_code="600000.SH"), day_line(**{column: text})]
    reading = read("tushare_daily", "20250403.csv", DAY + "\n".join(lines))
    assert "may lack digits" in reading.rejected[3][1]


@pytest.mark.parametrize("text", ["6.4391391E5", "6.4391391e+05", "64391391e-2", "643913.91E0"])
def test_an_exponent_that_hides_nothing_is_a_number(text: str) -> None:
    (row,) = read("tushare_daily", "20250403.csv", DAY + day_line(vol=text)).good
    assert row["volume"] == 64_391_391


@pytest.mark.parametrize(
    ("text", "volume"),
    [("1.5902774E7", 15_902_774), ("0E-8", 0), ("0e0", 0), ("5.877472e-39", None)],
)
def test_a_volume_as_programs_write_it(text: str, volume: int | None) -> None:
    header = "Price,Close,High,Low,Open,Volume\nTicker,0005.HK\nDate,,,,,\n2025-09-15,1,1,1,1,1\n"
    reading = read(
        "yahoo_hk", "0005.HK.csv", f"{header}2025-09-16,5e-05,5e-05,5e-05,5e-05,{text}\n"
    )
    assert [row["volume"] for row in reading.good[1:]] == [volume] * (volume is not None)
    assert [row["close"] for row in reading.good[1:]] in ([Decimal("0.00005")], [])


@pytest.mark.parametrize("text", ["1.5", "0.25", "-0.5", "0x10", "1e-3"])
def test_a_part_of_a_share_is_none(text: str) -> None:
    header = "date,open,close,high,low,volume,symbol,source,fetch_time\n"
    rest = ",x,x,x\n"
    good, bad = f"2025-09-15,1,1,1,1,10.0{rest}", f"2025-09-16,1,1,1,1,{text}{rest}"
    reading = read("sina_index", "sz399006.csv", header + good + bad)
    assert [row["volume"] for row in reading.good] == [10]
    assert reading.rejected[3][0] == "bad_number"


@pytest.mark.parametrize(
    "text", ["20250403.0", "2025-04-03", "2.0250403E7", "45750", "２０２５０４０３"]
)
def test_a_date_of_another_form_is_rejected(text: str) -> None:
    content = DAY + day_line(ts_code="000002.SZ") + "\n" + day_line(trade_date=text)
    assert read("tushare_daily", "20250403.csv", content).rejected[3][0] == "bad_date"


# --- Exchange rates ------------------------------------------------------------------------------


def test_rates_are_taken_one_by_one() -> None:
    text = (
        "Date,USD,JPY,CNY,HKD,\n"
        "2025-09-16,1.1774,173.5,8.3767,9.1601,\n"
        "1999-01-04,1.1789,133.73,N/A,9.1332,\n"
        "1998-01-02,N/A,N/A,N/A,N/A,\n"
        "1998-01-05,0,1,1,1,\n"
        "1998-01-06,x,1,1,1,\n"
    )
    reading = read("ecb_exchange_rates", "eurofxref-hist.csv", text)
    assert [(row["rate_USD"], row["rate_CNY"]) for row in reading.good] == [
        (Decimal("1.1774"), Decimal("8.3767")), (Decimal("1.1789"), None),
    ]  # fmt: skip
    assert [code for code, _ in reading.rejected.values()] == ["not_positive", "bad_number"]
    assert reading.report.lines_framing == 2
