"""Units: what a delivered number counts, and how many of the canonical unit it stands for.

Belongs here: multipliers, base units, currencies. Does not belong here: which column comes in
which unit (`feeds/`, checked by `ingest/feed_spec.py`).
"""

from dataclasses import dataclass

# Power of ten of a multiplier, and of a base unit in canonical units (one lot is 100 shares).
# `currency` is the currency that the row's own column of that name states.
MULTIPLIERS = {"thousand": 3, "ten_thousand": 4, "million": 6, "hundred_million": 8}
BASE_UNITS = {"points": 0, "shares": 0, "lots": 2, "deals": 0, "percent": 0, "currency": 0}
CURRENCIES = {"CNY", "HKD", "USD"}


@dataclass(frozen=True)
class Unit:
    """`thousand CNY` = 10^3 of currency CNY; `lots` = 10^2 shares."""

    text: str
    exponent: int
    dimension: str
    currency: str | None

    @classmethod
    def parse(cls, text: str) -> "Unit":
        *multipliers, base = text.split() or [""]
        known = {*BASE_UNITS, *CURRENCIES}
        if len(multipliers) > 1 or not set(multipliers) <= set(MULTIPLIERS) or base not in known:
            raise ValueError(
                f"unit {text!r} is not known; write [{'|'.join(MULTIPLIERS)}] and then one of "
                f"{', '.join(BASE_UNITS)} or a currency ({', '.join(sorted(CURRENCIES))})"
            )
        exponent = sum(MULTIPLIERS[multiplier] for multiplier in multipliers)
        if base in CURRENCIES:
            return cls(text, exponent, "currency", base)
        dimension = "shares" if base == "lots" else base
        return cls(text, exponent + BASE_UNITS[base], dimension, None)
