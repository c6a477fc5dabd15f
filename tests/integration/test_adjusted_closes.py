"""Figures of securities across ex-dates, recomputed from the sample's files in plain pandas.

Belongs here: adjusted closes and returns. Does not belong here: figures of indices
(`test_index_figures.py`), single cases of the models (dbt unit tests).
"""

import duckdb
import pandas as pd
import pytest

from dagster_project.home import Home

LAST = "2025-09-17"
FIGURES = ["adjustment_factor", "close_adjusted", "return_20d_pct", "return_ytd_pct"]


def recomputed(home: Home) -> pd.DataFrame:
    """Adjusted closes and returns of the shares whose files have a row per session."""
    parts = []
    for path in sorted((home.landing / "baostock_a_share").glob("*.csv")):
        exchange, code = path.stem.split(".")
        rows = pd.read_csv(path).query("date <= @LAST").reset_index(drop=True)
        factor = (rows["close"].shift() / rows["preclose"]).fillna(1).cumprod()
        adjusted = rows["close"] * factor
        year = rows["date"].str[:4].astype(int)
        year_ends = adjusted.groupby(year).last()
        parts.append(
            pd.DataFrame(
                {
                    "symbol": f"{code}.{exchange.upper()}",
                    "trade_date": rows["date"],
                    "adjustment_factor": factor,
                    "close_adjusted": adjusted,
                    "return_20d_pct": (adjusted / adjusted.shift(20) - 1) * 100,
                    "return_ytd_pct": (adjusted / (year - 1).map(year_ends) - 1) * 100,
                }
            )
        )
    return pd.concat(parts).set_index(["symbol", "trade_date"])


def test_adjusted_closes_and_returns_chain_across_ex_dates(
    sample_home: Home, sample: duckdb.DuckDBPyConnection
) -> None:
    expected = recomputed(sample_home)
    published = sample.execute(
        """select symbol, trade_date::varchar as trade_date, adjustment_factor::double as
            adjustment_factor, close_adjusted::double as close_adjusted, return_20d_pct,
            return_ytd_pct
        from security_performance where trade_date >= '2024-01-02'"""
    ).df()
    found = published.set_index(["symbol", "trade_date"]).reindex(expected.index)
    pd.testing.assert_frame_equal(found[FIGURES], expected[FIGURES], atol=2e-6, rtol=1e-8)


def test_a_dividend_breaks_no_adjusted_close(sample: duckdb.DuckDBPyConnection) -> None:
    before, on = sample.execute(
        """select close, adjustment_factor, close_adjusted from security_performance
        where symbol = '601088.SH' and trade_date in ('2025-07-17', '2025-07-18')
        order by trade_date"""
    ).fetchall()
    assert [float(figure) for figure in before] == [39.6, 1, 39.6]
    # The reference previous close is 2.26 yuan below the close before.
    assert [float(figure) for figure in on] == pytest.approx(
        [37.5, 39.6 / 37.34, 37.5 * 39.6 / 37.34], abs=1e-6
    )
