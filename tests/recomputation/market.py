"""The whole market recomputed from a landing folder, beside the published file.

Belongs here: which tables and columns are compared. Does not belong here: the rules.
"""

from dataclasses import dataclass
from pathlib import Path

import duckdb
import pandas as pd

from tests.recomputation import groups, securities, vendor_files
from tests.recomputation.figures import Comparison, compare

_PRICES = ["open", "high", "low", "close", "previous_close", "change", "return_index"]
_SECURITY = [
    "name", "market", "kind", "board", "region", "industry", "sector", "price_basis",
    *_PRICES, "previous_trade_date", "change_pct", "volume", "turnover", "turnover_rate_pct",
    "float_cap", "closing_high_since", "closing_low_since", "record_begins", "limit_pct",
    "at_limit", "sessions_since_listing", "is_outlier", "outlier_reason", "status", "feed",
]  # fmt: skip
_GROUP = [
    "members", "traded", "advancers", "decliners", "unchanged", "change_pct_equal",
    "change_pct_turnover", "change_pct_cap", "coverage_pct", "change_pct", "weighting", "turnover",
    "turnover_share_pct", "rank_best", "rank_worst",
]  # fmt: skip
_RETURNS = ["return_wtd_pct", "return_mtd_pct", "return_ytd_pct"]
_INDEX = ["weighting", "index_level", *_RETURNS]
# Returns are chained from logarithms of twelve decimals, so that a night adds to them what a
# rebuild does, and weighted means are rounded from sums in binary: the last digit can be off by
# one, and that of a ratio of two levels by a few.
_LAST_DIGIT = 1.5e-6
_OFF_BY = {
    "return_index": _LAST_DIGIT,
    "index_level": _LAST_DIGIT,
    "change_pct_cap": _LAST_DIGIT,
    "change_pct_turnover": _LAST_DIGIT,
    **dict.fromkeys(_RETURNS, 2e-5),
}
KEYS = {
    "security_performance": ["trade_date", "symbol"],
    "sector_performance": groups.GROUP,
    "sector_leaders_laggards": ["trade_date", "region", "level", "side", "rank"],
    "sector_index": groups.GROUP,
    "market_breadth": ["trade_date", "market"],
}


@dataclass(frozen=True)
class Recomputed:
    """What the files say.

    Args:
        records: every feed's rows, in millionths.
        securities: the chosen rows with their figures, in millionths; `null_change` says why a row
            has no change.
        tables: published table -> the recomputed one, in published units.
    """

    records: pd.DataFrame
    securities: pd.DataFrame
    tables: dict[str, pd.DataFrame]


def recompute(landing: Path, seeds: Path, con: duckdb.DuckDBPyConnection) -> Recomputed:
    """All tables, from the files in landing; calendar and rejected lines are the published ones."""
    records = vendor_files.records(landing, con)
    listed = vendor_files.securities_listed(landing)
    calendar = vendor_files.calendar(con)
    rows = securities.figures(records, calendar, listed, groups.assignments(seeds))
    member = groups.members(rows, seeds)
    performance = groups.performance(member, groups.weighting(rows))
    published = rows.assign(
        **{name: vendor_files.in_currency(rows[name]) for name in _PRICES}
    ).rename(columns={"basis": "price_basis", "rate": "turnover_rate_pct"})
    tables = {
        "security_performance": published[[*KEYS["security_performance"], *_SECURITY]],
        "sector_performance": performance[[*groups.GROUP, *_GROUP]],
        "sector_leaders_laggards": groups.leaders_laggards(performance, member),
        "sector_index": groups.index(performance)[[*groups.GROUP, *_INDEX]],
        "market_breadth": groups.breadth(rows, vendor_files.index_amounts(landing)),
    }
    return Recomputed(records, rows, tables)


def compared(of: Recomputed, con: duckdb.DuckDBPyConnection) -> dict[str, Comparison]:
    """Each recomputed table beside the published one, every row and column.

    Since when a level is the highest depends on its last digit: the published ones are asked.
    """
    published = {name: con.execute(f"select * from main.{name}").fetchdf() for name in of.tables}
    found = {
        name: compare(table, published[name], KEYS[name], _OFF_BY)
        for name, table in of.tables.items()
    }
    levels = published["sector_index"].astype({"index_level": float})
    found["sector_index closing_high_since"] = compare(
        groups.high_since(levels), levels, groups.GROUP
    )
    return found
