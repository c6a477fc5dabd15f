"""Parts of a feed spec as SQL, and in the words of messages.

Belongs here: the constants, maps and null texts of a spec. Does not belong here: rules
(`row_rules.py`, `file_rules.py`).
"""

import re

from dagster_project.ingest.feed_spec import FeedSpec
from dagster_project.warehouse.sql import literal


def by_symbol(value: str | dict[str, str] | None) -> str:
    """SQL: a constant of a spec, or the value that its map has for column `symbol`."""
    if isinstance(value, dict):
        cases = (f"when {literal(symbol)} then '{mapped}'" for symbol, mapped in value.items())
        return f"case symbol {' '.join(cases)} end"
    return f"'{value}'" if value else "null"


def holds_nothing(spec: FeedSpec, cell: str) -> str:
    """SQL: whether a cell is empty, or has a text that means null in its feed."""
    # DuckDB would make a join of `in (…)`, which would cost time for every good row.
    tokens = "|".join(map(re.escape, spec.format.nulls))
    return f"coalesce(regexp_full_match(trim({cell}), {literal(tokens)}), true)"


def declared_as(spec: FeedSpec, *names: str) -> str:
    """Columns with their declared units for a message: volume (lots) or turnover (CNY)."""
    return " or ".join(f"{name} ({spec.columns[name].unit})" for name in names)


def two_digits(factor: str) -> str:
    """SQL: a factor as text with two significant digits, such as 0.012 or 120."""
    rounded = f"round({factor}, (1 - floor(log10({factor})))::INTEGER)"
    return f"regexp_replace({rounded}::VARCHAR, '\\.0$', '')"
