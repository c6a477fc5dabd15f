"""From real vendor files to the published figures of Wednesday 17 September 2025."""

import csv
from datetime import date
from typing import Any

import duckdb
import pytest

from tests.support import real_files

NIGHT = date(2025, 9, 17)
SERIES = {
    "HSI": "HSI",
    "HSCEI": "HSCEI",
    "HSTECH": "HSTECH",
    "SSE": "000001.SH",
    "SZSE": "399001.SZ",
    "CHINEXT": "399006.SZ",
    "CSI300": "000300.SH",
}


def row(con: duckdb.DuckDBPyConnection, table: str, symbol: str, day: date = NIGHT) -> Any:
    """One row of a performance table, as a dict."""
    found = con.execute(
        f"select * from main.{table} where symbol = ? and trade_date = ?", [symbol, day]
    ).fetchdf()
    assert len(found) == 1, f"{symbol} {day}: {len(found)} rows"
    return found.iloc[0].to_dict()


@pytest.mark.parametrize(
    ("symbol", "close", "change_pct"),
    [
        ("HSI", 26908.39, 1.78),
        ("HSTECH", 6334.24, 4.22),
        ("HSCEI", 9596.77, 2.24),
        ("000001.SH", 3876.34, 0.37),
        ("399001.SZ", 13215.46, 1.16),
    ],
)
def test_indices(
    real: duckdb.DuckDBPyConnection, symbol: str, close: float, change_pct: float
) -> None:
    index = row(real, "index_performance", symbol)
    assert round(float(index["close"]), 2) == close
    assert round(float(index["change_pct"]), 2) == change_pct
    assert index["previous_trade_date"].date() == date(2025, 9, 16)


def test_hang_seng_is_at_its_highest_since_july_2021(real: duckdb.DuckDBPyConnection) -> None:
    hsi = row(real, "index_performance", "HSI")
    assert round(float(hsi["change"]), 2) == 469.88
    assert hsi["closing_high_since"].date() == date(2021, 7, 23)
    assert not hsi["is_record_high"]
    assert hsi["record_begins"].date() == date(1990, 1, 2)


@pytest.mark.parametrize(
    ("symbol", "change_pct", "since"),
    [("9888.HK", 15.7, (2023, 10)), ("9988.HK", 5.3, (2021, 11)), ("0981.HK", 7.1, None)],
)
def test_securities(
    real: duckdb.DuckDBPyConnection,
    symbol: str,
    change_pct: float,
    since: tuple[int, int] | None,
) -> None:
    security = row(real, "security_performance", symbol)
    assert round(float(security["change_pct"]), 1) == change_pct
    if since:
        assert (security["closing_high_since"].year, security["closing_high_since"].month) == since


def test_mainland_turnover(real: duckdb.DuckDBPyConnection) -> None:
    turnover, previous, complete = real.execute(
        "select turnover_cny, previous_turnover_cny, is_complete from main.cross_market_turnover "
        "where scope = 'mainland' and trade_date = ?",
        [NIGHT],
    ).fetchone() or (None, None, None)
    assert turnover is not None
    assert previous is not None
    assert (round(float(turnover) / 1e12, 2), round(float(previous) / 1e12, 2)) == (2.38, 2.34)
    assert complete


def published_closes() -> list[tuple[str, str, str]]:
    """(date, series, close as printed) of every published close whose series has files."""
    with (real_files() / "published_figures.csv").open(encoding="utf-8") as file:
        return [
            (line["date"], line["series"], line["close"])
            for line in csv.DictReader(file)
            if line["series"] in SERIES and line["close"].replace(".", "", 1).isdigit()
        ]


def test_every_published_close_is_met_at_its_own_precision(
    real: duckdb.DuckDBPyConnection,
) -> None:
    closes = published_closes()
    assert len(closes) > 15
    for day, series, printed in closes:
        index = row(real, "index_performance", SERIES[series], date.fromisoformat(day))
        decimals = len(printed.partition(".")[2])
        assert f"{float(index['close']):.{decimals}f}" == printed, (day, series)


def test_every_published_change_is_met_at_its_own_precision(
    real: duckdb.DuckDBPyConnection,
) -> None:
    checked = 0
    with (real_files() / "published_figures.csv").open(encoding="utf-8") as file:
        for line in csv.DictReader(file):
            if (
                line["series"] not in SERIES
                or not line["pct"].lstrip("-").replace(".", "").isdigit()
            ):
                continue
            index = row(
                real,
                "index_performance",
                SERIES[line["series"]],
                date.fromisoformat(line["date"]),
            )
            decimals = len(line["pct"].partition(".")[2])
            assert round(float(index["change_pct"]), decimals) == float(line["pct"]), line
            checked += 1
    assert checked > 15


def test_the_phantom_session_of_july_2023_is_refused_and_named(
    real: duckdb.DuckDBPyConnection,
) -> None:
    assert real.execute(
        "select file, line_number, reason_code from main.rejected_row "
        "where reason_code = 'not_a_session'"
    ).fetchall() == [("wsj_index/HSI.csv", 546, "not_a_session")]
    hsi = row(real, "index_performance", "HSI", date(2023, 7, 18))
    assert hsi["previous_trade_date"].date() == date(2023, 7, 14)


def test_every_figure_of_the_night_has_an_origin(real: duckdb.DuckDBPyConnection) -> None:
    without = real.execute(
        """select symbol, trade_date from (
            select symbol, trade_date from main.index_performance
            union all select symbol, trade_date from main.security_performance)
        where trade_date = ? and not exists (
            select 1 from main.figure_origin as origin
            where origin.symbol = symbol and origin.trade_date = trade_date
            and origin.is_chosen and origin.line_number > 0 and length(file_sha256) = 64)""",
        [NIGHT],
    ).fetchall()
    assert without == []


def test_the_line_of_an_origin_holds_the_figure(real: duckdb.DuckDBPyConnection) -> None:
    file, line = real.execute(
        "select file, line_number from main.figure_origin "
        "where symbol = 'HSI' and trade_date = ? and is_chosen",
        [NIGHT],
    ).fetchone() or ("", 0)
    assert file == "wsj_index/HSI.csv"
    text = (real_files() / "index_wsj" / "HSI.csv").read_text().splitlines()[line - 1]
    assert text.endswith(" 26908.39")


def test_lines_of_every_file_are_accounted_for(real: duckdb.DuckDBPyConnection) -> None:
    files, unaccounted = real.execute(
        """select count(*), count(*) filter (where lines_read <>
            rows_loaded + rows_held + rows_refused + rows_outside + lines_framing)
        from main.file_load"""
    ).fetchone() or (0, None)
    assert files >= 230
    assert unaccounted == 0


def test_tables_and_columns_carry_their_descriptions(real: duckdb.DuckDBPyConnection) -> None:
    assert (
        real.execute(
            """select table_name from duckdb_tables() where schema_name = 'main' and comment is null
        union all
        select view_name from duckdb_views()
        where schema_name = 'main' and not internal and comment is null
        union all
        select table_name || '.' || column_name from duckdb_columns()
        where schema_name = 'main' and not internal and comment is null"""
        ).fetchall()
        == []
    )
