"""Figures of securities and of their groups, recomputed from the vendors' real files.

Every row and column of five published tables is compared. What takes part in the recomputation,
and what does not, is said in `tests.recomputation`. The files here are adjusted ones and one day of
prices as dealt; `tests.proof.market` does the same with years of those.
"""

import duckdb
import pytest

from dagster_project.home import PROJECT_ROOT, Home
from tests.recomputation.figures import assert_equal
from tests.recomputation.market import KEYS, Recomputed, compared, recompute


@pytest.fixture(scope="module")
def recomputed(real_home: Home, real: duckdb.DuckDBPyConnection) -> Recomputed:
    return recompute(real_home.landing, PROJECT_ROOT / "seeds", real)


def test_every_figure_of_every_security_and_group_is_recomputed(
    recomputed: Recomputed, real: duckdb.DuckDBPyConnection
) -> None:
    found = compared(recomputed, real)
    assert set(found) >= set(KEYS)
    for comparison in found.values():
        assert_equal(comparison)


def test_each_change_that_is_not_known_has_a_reason(recomputed: Recomputed) -> None:
    rows = recomputed.securities
    without = rows[rows["change_pct"].isna()]
    reasons = without.groupby("feed")["null_change"].unique().map(set).to_dict()
    assert without["null_change"].notna().all()
    assert reasons == {
        # Turnover ÷ volume shows that the price is not the one dealt.
        "eastmoney_a_share": {"price_shifted_by_difference", "first_price_after_shifted_ones"},
        "yahoo_hk": {"first_row"},
    }


def test_every_case_that_the_rules_are_about_occurs(recomputed: Recomputed) -> None:
    """What no row has was not tested."""
    rows = recomputed.securities
    assert set(rows["feed"]) == {"tushare_daily", "eastmoney_a_share", "yahoo_hk"}
    assert {"up", "down"} <= set(rows["at_limit"])
    assert set(rows["limit_pct"].dropna()) == {20}
    assert "new_listing" in set(rows["outlier_reason"])
    weighting = recomputed.tables["sector_performance"].groupby("region")["weighting"].unique()
    assert set(weighting["mainland"]) == {"equal", "float_cap"}
    assert set(weighting["hong_kong"]) == {"equal"}
