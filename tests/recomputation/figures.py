"""What all recomputed figures share: exact numbers, percentages, and the comparison of two tables.

Belongs here: arithmetic and comparison. Does not belong here: what a figure means.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import numpy as np
import pandas as pd

MICRO = 10**6


def exact(text: Any, parts: int = MICRO) -> float:
    """A figure as a whole number of parts, by default of millionths; NaN where there is none."""
    if not isinstance(text, str) or not text.strip():
        return np.nan
    return float((Decimal(text) * parts).quantize(Decimal(1), ROUND_HALF_UP))


def exact_column(texts: pd.Series, parts: int = MICRO) -> pd.Series:
    """A column of texts as whole numbers of parts."""
    return pd.Series([exact(text, parts) for text in texts], texts.index, dtype=float)


def rounded(values: Any, decimals: int = 6) -> Any:
    """Rounded, a half away from zero."""
    parts = 10**decimals
    return np.sign(values) * np.floor(np.abs(values) * parts + 0.5) / parts


def pct(value: Any, base: Any) -> Any:
    """Change in percent points, of values in millionths."""
    return rounded(100.0 * ((value - base) / MICRO) / (base / MICRO))


def latest(days: np.ndarray, holds: np.ndarray) -> Any:
    """The last of the days for which something holds; NaT where there is none."""
    found = np.flatnonzero(holds)
    return days[found[-1]] if len(found) else np.datetime64("NaT")


def latest_at_or_beyond(values: list[float]) -> list[int]:
    """For each value the place of the latest earlier one that is as large; -1 where none is."""
    found, candidates = [], [-1]
    for at, value in enumerate(values):
        while candidates[-1] >= 0 and values[candidates[-1]] < value:
            candidates.pop()
        found.append(candidates[-1])
        candidates.append(at)
    return found


def is_same(expected: pd.Series, actual: pd.Series, off_by: float = 0.5 / MICRO) -> pd.Series:
    """Where two columns say the same; numbers to `off_by`, and to a trillionth of themselves."""
    both_missing = expected.isna() & actual.isna()
    if pd.api.types.is_numeric_dtype(expected):
        allowed = off_by + 1e-12 * expected.abs()
        return both_missing | ((expected - actual.astype(float)).abs() < allowed)
    if pd.api.types.is_datetime64_any_dtype(expected):
        return both_missing | (expected == pd.to_datetime(actual))
    return both_missing | (expected == actual)


@dataclass(frozen=True)
class Comparison:
    """A recomputed table beside the published one.

    Args:
        rows: rows with the same key in both.
        missing: keys that only the recomputation has.
        extra: keys that only the published table has.
        different: column -> rows that differ, for every column compared.
        examples: the first rows that differ: key, column, expected, published.
    """

    rows: int
    missing: int
    extra: int
    different: dict[str, int]
    examples: list[str]

    @property
    def is_equal(self) -> bool:
        return self.rows > 0 and not (self.missing or self.extra or any(self.different.values()))


def compare(
    expected: pd.DataFrame,
    actual: pd.DataFrame,
    key: Sequence[str],
    off_by: Mapping[str, float] | None = None,
    shown: int = 3,
) -> Comparison:
    """Compare every recomputed column of every row.

    Args:
        off_by: column -> by how much its numbers may differ, where not half a millionth.
        shown: how many examples of a column to keep.
    """
    off_by = off_by or {}
    for frame in (expected, actual):
        assert not frame.duplicated(list(key)).any()
    both = expected.merge(
        actual, "outer", list(key), suffixes=("", " published"), indicator="where"
    )
    rows = both[both["where"] == "both"]
    different, examples = {}, []
    for name in expected.columns.drop(list(key)):
        published = rows[f"{name} published"]
        column = rows[name].astype(expected[name].dtype)
        wrong = rows[~is_same(column, published, off_by.get(name, 0.5 / MICRO))]
        different[name] = len(wrong)
        for _, row in wrong.head(shown).iterrows():
            subject = " ".join(f"{row[part]:%Y-%m-%d}" if part == "trade_date" else str(row[part])
                               for part in key)  # fmt: skip
            examples.append(f"{subject}: {name} {row[name]}, not {row[f'{name} published']}")
    counts = both["where"].value_counts()
    return Comparison(
        len(rows), int(counts["left_only"]), int(counts["right_only"]), different, examples
    )


def assert_equal(comparison: Comparison) -> None:
    """Fail with the first rows that differ."""
    assert comparison.is_equal, f"{comparison}"
