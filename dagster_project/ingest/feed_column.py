"""A column in the spec of a feed: its header text, its unit or format, and whether they are right.

Belongs here: what a spec says of one column, and date formats. Does not belong here: what the
columns of a spec must be together (`feed_spec.py`), which columns there are
(`market/record_kinds.py`).
"""

from datetime import date, datetime
from functools import cache, cached_property
from typing import Any

import duckdb
from pydantic import BaseModel, ConfigDict, Field

from dagster_project.market.record_kinds import DELIVERED_COLUMNS
from dagster_project.market.units import Unit

# The key that a column needs besides `column`, with an example; text columns need none.
_EXAMPLES = {"unit": "shares", "format": "'%Y-%m-%d'", "truth": "'*'", "replace": None}


# The date format of seconds since 1970.
EPOCH = "epoch"


class Misplaced(ValueError):
    """A mistake in a spec, with its location below the part that is being validated."""

    def __init__(self, message: str, *location: str) -> None:
        super().__init__(message)
        self.location = location


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Column(Strict):
    """A column of a feed's files: its header text, and what its values mean."""

    column: str
    unit: str | None = None
    format: str | None = None
    optional: bool = Field(False, description="the column may be missing, or a cell empty")
    beyond_range_pct: float = Field(
        0,
        ge=0,
        le=10,
        description="open only: how far the vendor's opens may be beyond low and high, in percent",
    )
    nulls: tuple[str, ...] = Field(
        (), description="more texts that mean null in this column, e.g. 0.00 for no trade"
    )
    truth: str | None = Field(None, description="the text that means true, e.g. * for half-days")
    falsehood: str | None = Field(
        None, description="the text that means false; an empty cell always does"
    )
    replace: dict[str, str] = Field(
        default_factory=dict, description="regular expression -> replacement"
    )

    @cached_property
    def parsed_unit(self) -> Unit:
        return Unit.parse(self.unit or "")


def check_column(name: str, column: Column) -> None:
    """Check what a spec says of a canonical column.

    Raises:
        ValueError: the column is not known, or has the wrong keys; `Misplaced` if it is a key.
    """
    if column.beyond_range_pct and name != "open":
        raise Misplaced("only `open` may be beyond low and high", name, "beyond_range_pct")
    if name not in DELIVERED_COLUMNS:
        known = ", ".join(sorted(DELIVERED_COLUMNS))
        raise ValueError(f"is not a canonical column; known: {known} (and see `symbol`, `rates`)")
    needed, dimensions = DELIVERED_COLUMNS[name].meaning, DELIVERED_COLUMNS[name].dimensions
    given = {key for key in _EXAMPLES if getattr(column, key)}
    if not given <= {needed}:
        raise ValueError(f"does not take {', '.join(sorted(given - {needed}))}")
    example = _EXAMPLES[needed] if needed else None
    if example and not given:
        raise ValueError(f"give its {needed}, e.g. `{needed}: {example}`")
    if needed == "unit" and column.parsed_unit.dimension not in dimensions:
        raise ValueError(
            f"a unit of {column.unit!r} does not fit; expected {' or '.join(sorted(dimensions))}"
        )
    if column.falsehood and needed != "truth":
        raise Misplaced("goes with `truth`", name, "falsehood")
    if column.format and DELIVERED_COLUMNS[name].type == "DATE":
        check_date_format(column.format, name, "format")
    for pattern, replacement in column.replace.items():
        try:
            _query_duckdb("select regexp_replace('', ?, ?)", pattern, replacement)
        except duckdb.Error as error:
            raise ValueError(f"replace: {pattern!r} is not a regular expression: {error}") from None


def check_date_format(format_: str, *location: str) -> None:
    """Check that a format gives a complete date, in Python as in DuckDB."""
    if format_ == EPOCH:
        return
    day = date(2025, 9, 17)
    try:
        text = day.strftime(format_)
        in_duckdb = _query_duckdb("select strptime(?, ?)::DATE", text, format_)
        whole = in_duckdb == datetime.strptime(text, format_).date() == day
    except (ValueError, duckdb.Error):
        whole = False
    if not whole:
        raise Misplaced(
            f"{format_!r} is not a date format; e.g. '%Y-%m-%d', '%Y%m%d', or epoch", *location
        )


@cache
def _query_duckdb(query: str, *parameters: str) -> Any:
    """What DuckDB, which reads the files, makes of a pattern or a format."""
    with duckdb.connect() as con:
        return con.execute(query, parameters).fetchall()[0][0]
