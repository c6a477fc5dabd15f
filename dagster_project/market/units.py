"""Units: what a delivered number counts, and how it is converted to the canonical unit.

Belongs here: multipliers, base units, currencies. Does not belong here: which column has which
unit (`feeds/`, checked by `ingest/feed_spec.py`).
"""

from dataclasses import dataclass

# Exponents of ten: of each multiplier, and of each base unit in canonical units (one lot is 100
# shares). The base unit `currency` is the currency in the row's own column of that name.
MULTIPLIERS = {"thousand": 3, "ten_thousand": 4, "million": 6, "hundred_million": 8}
BASE_UNITS = {
    "points": 0,
    "shares": 0,
    "lots": 2,
    "deals": 0,
    "percent": 0,
    "fraction": 2,
    "ratio": 0,
    "currency": 0,
}
CURRENCIES = {"CNY", "HKD", "USD"}


@dataclass(frozen=True)
class Unit:
    """A parsed unit: a value times 10^exponent is in canonical units.

    `thousand CNY` has exponent 3 and dimension `currency`; `lots` has exponent 2 and dimension
    `shares`; a `fraction` of 0.01 is one percent.
    """

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
        dimension = {"lots": "shares", "fraction": "percent"}.get(base, base)
        return cls(text, exponent + BASE_UNITS[base], dimension, None)
