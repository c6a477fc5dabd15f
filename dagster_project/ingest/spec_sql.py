"""Parts of a feed spec as SQL, and in the words of messages.

Belongs here: the constants, maps and null texts of a spec. Does not belong here: rules
(`row_rules.py`, `file_rules.py`).
"""

import re
from collections.abc import Mapping
from datetime import date

from dagster_project.ingest.feed_spec import FeedSpec
from dagster_project.market.seeds import usual_closing_time
from dagster_project.warehouse.sql import literal

# Market -> day -> closing time, for days on which it closes early.
EarlyClosings = Mapping[str, Mapping[date, str]]


def by_symbol(value: str | dict[str, str] | None) -> str:
    """SQL: a constant of a spec, or the value that its map has for column `symbol`."""
    if isinstance(value, dict):
        cases = (f"when {literal(symbol)} then '{mapped}'" for symbol, mapped in value.items())
        return f"case symbol {' '.join(cases)} end"
    return f"'{value}'" if value else "null"


def closing_time(spec: FeedSpec, early: EarlyClosings) -> str:
    """SQL: from which time on the figures of a row's `trade_date` are final."""
    if isinstance(spec.closes_at, dict):
        cases = (
            f"when {literal(s)} then {_closing(at, early)}" for s, at in spec.closes_at.items()
        )
        return f"case symbol {' '.join(cases)} end"
    return _closing(spec.closes_at, early) if spec.closes_at else "null"


def _closing(time_or_market: str, early: EarlyClosings) -> str:
    if ":" in time_or_market:
        return f"'{time_or_market}'"
    days_at: dict[str, list[str]] = {}
    for day, at in early.get(time_or_market, {}).items():
        days_at.setdefault(at, []).append(f"'{day}'")
    cases = "".join(
        f"when list_contains([{', '.join(days)}]::DATE[], trade_date) then '{at}' "
        for at, days in days_at.items()
    )
    usual = f"'{usual_closing_time(time_or_market)}'"
    return f"case {cases}else {usual} end" if cases else usual


def holds_nothing(spec: FeedSpec, cell: str, name: str = "") -> str:
    """SQL: whether a cell is empty, or has a text that means null in its feed.

    Args:
        name: the canonical column, which may have such texts of its own.
    """
    own = spec.columns[name].nulls if name in spec.columns else ()
    # DuckDB would make a join of `in (…)`, which would cost time for every good row.
    tokens = "|".join(map(re.escape, (*spec.format.nulls, *own)))
    return f"coalesce(regexp_full_match(trim({cell}), {literal(tokens)}), true)"


def segment_code(cell: str) -> str:
    """SQL: the code of a segment in a cell, which some exchanges indent, also with `&nbsp;`."""
    return rf"regexp_replace({cell}, '^(&nbsp;|\s|\x{{a0}}|\x{{3000}})+|(\s|\x{{a0}})+$', '', 'g')"


def declared_as(spec: FeedSpec, *names: str) -> str:
    """Columns with their declared units for a message: volume (lots) or turnover (CNY)."""
    return " or ".join(f"{name} ({spec.columns[name].unit})" for name in names)


def two_digits(factor: str) -> str:
    """SQL: a factor as text with two significant digits, such as 0.012 or 120."""
    rounded = f"round({factor}, (1 - floor(log10({factor})))::INTEGER)"
    return f"regexp_replace({rounded}::VARCHAR, '\\.0$', '')"
