"""What a feed spec says, as SQL and in the words of messages.

Belongs here: constants, maps and empty cells of a spec. Does not belong here: rules
(`row_rules.py`, `file_rules.py`).
"""

import re

from dagster_project.ingest.feed_spec import FeedSpec
from dagster_project.warehouse.sql import literal


def by_symbol(value: str | dict[str, str] | None) -> str:
    """SQL for a constant of a spec, or for its map from symbol."""
    if isinstance(value, dict):
        cases = (f"when {literal(symbol)} then '{mapped}'" for symbol, mapped in value.items())
        return f"case symbol {' '.join(cases)} end"
    return f"'{value}'" if value else "null"


def holds_nothing(spec: FeedSpec, cell: str) -> str:
    """SQL: whether a cell is empty, or holds what its feed writes for nothing."""
    # `in (…)` would become a join, which every good row pays for too.
    tokens = "|".join(map(re.escape, spec.format.nulls))
    return f"coalesce(regexp_full_match(trim({cell}), {literal(tokens)}), true)"


def declared_as(spec: FeedSpec, *names: str) -> str:
    """How figures are called in a message: volume (lots) or turnover (thousand CNY)."""
    return " or ".join(f"{name} ({spec.columns[name].unit})" for name in names)


def two_digits(factor: str) -> str:
    """SQL: a factor with two digits: 0.012, 120."""
    rounded = f"round({factor}, (1 - floor(log10({factor})))::INTEGER)"
    return f"regexp_replace({rounded}::VARCHAR, '\\.0$', '')"
