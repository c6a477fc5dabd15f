"""Functions of lists that dbt models call, one list per symbol: what SQL alone does slowly.

Belongs here: the functions, in numpy, and how DuckDB gets to know them. Does not belong here: which
models call them, and the SQL with the same answers for other engines (`dbt_project/macros/`).

dbt loads this module as a plugin of dbt-duckdb (`dbt_project/profiles.yml`). DuckDB hands over a
few thousand lists at once, as Arrow arrays.
"""

from typing import Any

import numpy as np
import pyarrow as pa
from dbt.adapters.duckdb.plugins import BasePlugin
from duckdb import DuckDBPyConnection
from duckdb.func import PythonUDFType


class Plugin(BasePlugin):
    """Makes the functions known to each connection of dbt."""

    def configure_connection(self, conn: DuckDBPyConnection) -> None:
        """Register the functions with a new connection."""
        register(conn)


def register(con: DuckDBPyConnection) -> None:
    """Make the functions known to a connection, and to all others to the same database.

    - closing_extremes(dates, values): of each element the date of the latest earlier element at or
      above it (`high`), and of the latest at or below it (`low`); null where there is none.
    - trailing_medians(numbers, values, sessions): of each element the median of the values whose
      number is less by 1 to `sessions` (`median`), and how many they are (`value_count`).

    Dates and numbers ascend. No value of closing_extremes is null; of trailing_medians any may be.
    """
    # A build that failed may have left a connection open, and with it the database as it was.
    if con.execute(
        "select 1 from duckdb_functions() where function_name = 'trailing_medians'"
    ).fetchall():
        return
    con.create_function(
        "closing_extremes",
        closing_extremes,
        ["DATE[]", "DOUBLE[]"],
        "STRUCT(high DATE, low DATE)[]",
        type=PythonUDFType.ARROW,
    )
    con.create_function(
        "trailing_medians",
        trailing_medians,
        ["BIGINT[]", "DOUBLE[]", "BIGINT"],
        "STRUCT(median DOUBLE, value_count BIGINT)[]",
        type=PythonUDFType.ARROW,
    )


def closing_extremes(dates: pa.ListArray, values: pa.ListArray) -> pa.ListArray:
    """See `register`."""
    dates, values = _whole(dates), _whole(values)
    starts = values.offsets.to_numpy() - values.offsets[0].as_py()
    flat = values.flatten().to_numpy(zero_copy_only=False)
    days = dates.flatten()
    since = [
        days.take(pa.array(at, mask=at < 0))
        for at in (_latest_not_below(flat, starts), _latest_not_below(-flat, starts))
    ]
    return _lists(starts, pa.StructArray.from_arrays(since, names=["high", "low"]))


def _latest_not_below(values: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Of each element the position of the latest earlier one in its list that is not below it.

    All elements are looked at together. Between an element and its candidate all are below it; so
    if the candidate is below it too, the candidate's own candidate is next. -1 where there is none.
    """
    candidates = np.arange(len(values)) - 1
    candidates[starts[:-1][starts[:-1] < starts[1:]]] = -1
    unsettled = np.flatnonzero(candidates >= 0)
    while len(unsettled):
        unsettled = unsettled[values[candidates[unsettled]] < values[unsettled]]
        candidates[unsettled] = candidates[candidates[unsettled]]
        unsettled = unsettled[candidates[unsettled] >= 0]
    return candidates


def trailing_medians(
    numbers: pa.ListArray, values: pa.ListArray, sessions: pa.Int64Array
) -> pa.ListArray:
    """See `register`."""
    numbers, values = _whole(numbers), _whole(values)
    starts = values.offsets.to_numpy() - values.offsets[0].as_py()
    flat = values.flatten().to_numpy(zero_copy_only=False).astype(float)
    number = numbers.flatten().to_numpy(zero_copy_only=False)
    back = int(sessions[0].as_py()) if len(sessions) else 0
    list_of = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
    # One row per element, with the values before it; those of other lists or too old are not known.
    before = np.full((len(flat), back), np.nan)
    for step in range(1, min(back, len(flat)) + 1):
        is_near = (number[step:] - number[:-step] <= back) & (list_of[step:] == list_of[:-step])
        before[step:, step - 1] = np.where(is_near, flat[:-step], np.nan)
    before.sort(axis=1)  # what is not known comes last
    counts = back - np.isnan(before).sum(axis=1)
    rows = np.arange(len(flat))
    low = before[rows, np.maximum(counts - 1, 0) // 2]
    high = before[rows, counts // 2]
    medians = pa.array(low + (high - low) / 2, mask=counts == 0)
    named = pa.StructArray.from_arrays([medians, pa.array(counts)], names=["median", "value_count"])
    return _lists(starts, named)


def _whole(lists: Any) -> Any:
    return lists.combine_chunks() if isinstance(lists, pa.ChunkedArray) else lists


def _lists(starts: np.ndarray, elements: pa.Array) -> pa.ListArray:
    return pa.ListArray.from_arrays(pa.array(starts, type=pa.int32()), elements)
