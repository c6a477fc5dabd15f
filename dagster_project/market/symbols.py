"""Symbols: how a vendor's code becomes the symbol that an index or a security has here.

Belongs here: the schemes of vendors' codes, the exchanges' number ranges, which symbols are
possible. Does not belong here: where a file has its symbol (`ingest/feed_spec.py`), what is known
of a security (dbt).
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from fnmatch import fnmatch
from typing import Literal

# How a vendor writes codes; with `as_delivered` they are canonical already.
Scheme = Literal["as_delivered", "a_share_code", "hkex_code", "csi_code", "exchange_code"]

# How vendors write the exchange before or after a code: sh.600000, SZ000001, SH#600000,
# 600000.XSHG, 0700.HK. Eastmoney numbers them: 1.600000, 0.000001, 116.00700.
_EXCHANGES = {
    "SH": ".SH", "SS": ".SH", "SSE": ".SH", "SHSE": ".SH", "XSHG": ".SH", "1": ".SH",
    "SZ": ".SZ", "SZSE": ".SZ", "XSHE": ".SZ", "0": ".SZ",
    "BJ": ".BJ", "BSE": ".BJ", "BJSE": ".BJ", "XBSE": ".BJ",
    "HK": ".HK", "XHKG": ".HK", "HKEX": ".HK", "116": ".HK",
}  # fmt: skip
_EXCHANGE_FIRST = re.compile(r"([A-Za-z]+|(?:0|1|116)(?=\.))[._:#]?(\d+)")
_EXCHANGE_LAST = re.compile(r"(\d+)[._:]?([A-Za-z]+)")

# Counters in another currency than that of their market: pattern of SQL for the symbol -> currency.
# B shares of Shanghai and Shenzhen; in Hong Kong counters in RMB, and those of funds in US dollars.
COUNTER_CURRENCIES = {
    "900___.SH": "USD",
    "20____.SZ": "HKD",
    "8____.HK": "CNY",
    **{
        f"{digits}.HK": "USD"
        for digits in ("90__", "91__", "94__", "980_", "981_", "982_", "983_", "984_")
    },
}

# Treasury, convertible and company bonds, repurchases, and preference shares of Shanghai.
_SHANGHAI_OTHERS = (
    *("010", "018", "019", "020", "110", "111", "113", "118", "122", "124", "132"),
    *("136", "137", "143", "155", "175", "185", "188", "204", "240", "360"),
)

# The suffix of the securities of each market.
MARKET_SUFFIXES = {"XHKG": ".HK", "XSHG": ".SH", "XSHE": ".SZ"}

# The numbers of Shanghai's and Shenzhen's indices; no security has one.
_INDEX = re.compile(r"000[0-9]{3}\.SH|39[59][0-9]{3}\.SZ")
_SECURITY = re.compile(r"[0-9]{4}\.HK|[1-9][0-9]{4}\.HK|[0-9]{6}\.(SH|SZ)")


@dataclass(frozen=True)
class SymbolProblem:
    """Why the rows of a symbol are rejected: reason code and message."""

    code: str
    reason: str


def canonical(scheme: Scheme, delivered: str) -> str:
    """The canonical symbol of a vendor's code."""
    if scheme == "a_share_code":
        return delivered + a_share_suffix(delivered)
    if scheme == "hkex_code":
        return delivered.removesuffix(".HK").lstrip("0").zfill(4) + ".HK"
    if scheme == "exchange_code":
        return _from_exchange_code(delivered)
    if scheme == "csi_code":
        return delivered + ".CSI"
    return delivered


def _from_exchange_code(delivered: str) -> str:
    """A code with its exchange, in any spelling; as delivered if the exchange is not known."""
    if found := _EXCHANGE_FIRST.fullmatch(delivered):
        exchange, code = found.groups()
    elif found := _EXCHANGE_LAST.fullmatch(delivered):
        code, exchange = found.groups()
    else:
        return delivered
    suffix = _EXCHANGES.get(exchange.upper())
    if suffix == ".HK":
        return canonical("hkex_code", code)
    return code + suffix if suffix else delivered


def priced_in_another(symbol: str, currency: str) -> SymbolProblem | None:
    """What is wrong with a security of a feed in HKD or CNY: its market has the other. Or None.

    A counter in a currency of its own, such as a B share, may come in either.
    """
    of_market = "HKD" if symbol.endswith(".HK") else "CNY"
    if {currency, of_market} != {"HKD", "CNY"}:
        return None
    own = [
        of
        for counter, of in COUNTER_CURRENCIES.items()
        if fnmatch(symbol, counter.replace("_", "?"))
    ]
    if currency in own:
        return None
    return SymbolProblem(
        "other_currency",
        f"{symbol} is priced in {of_market}, but the feed's currency is {currency}; let another "
        "feed read it, and pass over it here (symbol.ignored)",
    )


def a_share_suffix(code: str) -> str:
    """The suffix of the exchange to which a six-digit mainland code belongs, by number range."""
    # All other codes of these kinds are Shenzhen's.
    if code.startswith(_SHANGHAI_OTHERS):
        return ".SH"
    if code.startswith(("4", "8", "92")):
        return ".BJ"
    return ".SH" if code.startswith(("5", "6", "9")) else ".SZ"


def index_problem(symbol: str, known: Collection[str]) -> SymbolProblem | None:
    """What is wrong with the symbol of an index: it is not in `known`. None if nothing is."""
    if symbol in known:
        return None
    return SymbolProblem(
        "unknown_symbol",
        f"symbol {symbol!r} is not a known index; add it to seeds/index_definition.csv, "
        "or correct the file",
    )


def security_problem(symbol: str) -> SymbolProblem | None:
    """What is wrong with the symbol of a security: its form, or its market. None if nothing is."""
    if _INDEX.fullmatch(symbol):
        return SymbolProblem("not_a_security", f"{symbol} is the number of an index")
    if _SECURITY.fullmatch(symbol):
        return None
    if symbol.endswith(".BJ"):
        return SymbolProblem(
            "market_not_covered", f"{symbol} trades in Beijing, which is not covered"
        )
    return SymbolProblem(
        "unknown_symbol",
        f"symbol {symbol!r} is neither four or five digits + .HK nor six digits + .SH or .SZ",
    )
