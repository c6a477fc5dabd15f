"""Drafting the spec of a feed from a file of a vendor.

Belongs here: guessing what a file's columns, units and symbols are, and asking where a guess is not
safe. Does not belong here: its layout (`draft_table.py`), what vendors call a column
(`draft_names.py`), what a spec can say (`feed_spec.py`), trying it (`trial.py`).

Every guess that the file itself does not prove is marked `# ?` in the draft.
"""

import json
import re
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import Any, TypeVar

from dagster_project.ingest.document import Cell, FileReadError
from dagster_project.ingest.draft_names import SYMBOL_CALLED, called, columns_of, plain, size_in
from dagster_project.ingest.draft_table import NEWEST_ROWS, Table, read_table
from dagster_project.market.seeds import known_indices
from dagster_project.market.symbols import Scheme, canonical, security_problem

RowT = TypeVar("RowT")

DATE_FORMATS = (
    *("%Y-%m-%d", "%Y/%m/%d", "%Y%m%d", "%Y.%m.%d", "%m/%d/%Y", "%d/%m/%Y", "%m/%d/%y", "%d/%m/%y"),
    *("%y/%m/%d", "%d.%m.%Y", "%b %d, %Y", "%d %b %Y", "%d-%b-%Y", "%Y年%m月%d日"),
    *("%Y-%m-%d %H:%M:%S", "%Y-%m-%d 00:00:00+08:00"),
)
# Exponents of turnover's and of volume's unit, and how the units are written.
TURNOVER_UNITS = {0: "", 3: "thousand ", 4: "ten_thousand ", 6: "million ", 8: "hundred_million "}
VOLUME_UNITS = {
    0: "shares", 2: "lots", 3: "thousand shares", 4: "ten_thousand shares", 6: "million shares",
    8: "hundred_million shares",
}  # fmt: skip
_SUFFIXES = r"\.(?:csv|txt|json|xlsx|xls|parquet|day|gz|zip)\b"
_TDX_IN_HUNDREDTHS = re.compile(r"sh6|sz00|sz30|sh000|sz399", re.IGNORECASE)
_DATE_IN_NAME = re.compile(r"(19|20)\d{6}")
_INDEX_NAMES = {"^HSI": "HSI", "^HSCE": "HSCEI", "HSTECH.HK": "HSTECH"}
# Column names that YAML would take for something else.
_NO_TEXT = {"yes", "no", "on", "off", "y", "n", "true", "false", "null"}


def draft_spec(path: Path, name: str) -> str:
    """The draft of a spec, in YAML, for files like this one.

    Args:
        name: of the feed.

    Raises:
        FileReadError: it is in none of the formats that a spec can describe, or has no rows.
        OSError: the file cannot be read.
    """
    table = read_table(path)
    columns = columns_of(table.header)
    if "close" not in columns and (symbols := _symbols_in_header(table)):
        return _draft_of_wide(table, path, name, symbols)
    if "float_cap" not in columns:
        columns.pop("total_cap", None)  # no record of its own
    symbol, market, is_index = _symbol(table, path)
    currency = "HKD" if market == "XHKG" else "CNY"
    dates, date_asks = _dates(table, columns, path)
    if "close" not in columns:
        shown = ", ".join(table.header)[:300]
        raise FileReadError(f"has no column that looks like a close; the header is: {shown}")
    is_day = dates.get("in_name") or len(set(table.column(columns["trade_date"]))) == 1
    is_day = bool(is_day and "column" in symbol and _DATE_IN_NAME.search(path.name))
    lines = [
        f"feed: {name}",
        "title: closes of a vendor  # ? who delivers what",
        "vendor: a vendor  # ?",
        f'files: "{_pattern(path, symbol, is_day)}"',
        *(['file_date_format: "%Y%m%d"'] if is_day else []),
        f"content: {'day' if is_day else 'history'}",
        "closes_at: " + ("XHKG" if market == "XHKG" else '"15:30"'),
        "priority: 50  # ? of two feeds with the same record the lower number counts",
    ]
    if not is_index:
        basis, why = _price_basis(table, columns)
        lines.append(f"price_basis: {basis}  # ? {why}")
    lines += ["format:", *(_entry(key, value, table.asks) for key, value in table.format.items())]
    kinds = ["index_close" if is_index else "security_close"]
    kinds += ["security_valuation"] if "float_cap" in columns and not is_index else []
    asked = symbol.pop("ask", None)
    lines += [f"records: [{', '.join(kinds)}]" + (f"  # ? {asked}" if asked else "")]
    lines += ["symbol:", *(_entry(key, value) for key, value in symbol.items())]
    lines += [f"currency: {currency}", "columns:"]
    units, unit_asks = _units(table, columns, currency, is_index)
    for canonical_name, delivered in columns.items():
        if canonical_name == "trade_date":
            said, asked = f"format: {json.dumps(dates['format'])}", date_asks
        elif canonical_name == "name":
            said, asked = "", ""
        else:
            said, asked = f"unit: {units[canonical_name]}", unit_asks.get(canonical_name, "")
            rivals = [
                column
                for column in called(table.header, canonical_name)[1:]
                if column not in columns.values()
            ]
            if rivals:
                asked = "; ".join(filter(None, [asked, f"or the column {', '.join(rivals)}"]))
        has_gaps = len(table.column(delivered)) < len(table.rows)
        is_optional = has_gaps and canonical_name not in ("trade_date", "close", "name")
        parts = [f"column: {_quoted(delivered)}", *filter(None, [said])]
        parts += ["optional: true"] if is_optional else []
        lines.append(
            f"  {canonical_name}: {{{', '.join(parts)}}}" + (f"  # ? {asked}" * bool(asked))
        )
    used = {*columns.values(), *(c for c in table.header if _quoted(c) == symbol.get("column"))}
    others = [column for column in dict.fromkeys(table.header) if column and column not in used]
    if others:
        lines.append("ignored_columns:")
        lines += [f"  {_quoted(column)}: not needed  # ?" for column in others]
    return "\n".join(lines) + "\n"


def _symbols_in_header(table: Table) -> list[str]:
    """The columns that are named for a security or an index each, if there are two or more."""
    named = [column for column in table.header if column and _scheme([column])]
    return named if table.format["type"] == "csv" and len(named) > 1 else []


def _draft_of_wide(table: Table, path: Path, name: str, symbols: Sequence[str]) -> str:
    """The draft of a table with a column for each symbol."""
    found = _scheme(symbols)
    if not found:
        raise FileReadError(
            f"has columns named for symbols of several kinds ({', '.join(symbols)[:100]}); write "
            "the others into symbol.ignored of a spec of your own"
        )
    scheme, symbol, is_index = found
    market = _market(symbol)
    currency = "HKD" if market == "XHKG" else "CNY"
    columns = {k: v for k, v in columns_of(table.header).items() if k == "trade_date"}
    dates, date_asks = _dates(table, columns, path)
    asked = f"  # ? {date_asks}" if date_asks else ""
    form = {k: v for k, v in table.format.items() if k != "ends_with_newline"}
    form["type"] = "wide_csv"
    wide = {"kept": [columns["trade_date"]], "value": "close"}
    others = [c for c in table.header if c and c not in symbols and c != columns["trade_date"]]
    lines = [
        f"feed: {name}",
        "title: closes of a vendor, a column for each symbol  # ? who delivers what",
        "vendor: a vendor  # ?",
        f'files: "{_pattern(path, {}, is_day=False)}"',
        "content: history",
        "closes_at: " + ("XHKG" if market == "XHKG" else '"15:30"'),
        "priority: 50  # ? of two feeds with the same record the lower number counts",
        *(["price_basis: traded  # ? or adjusted: ask the vendor"] * (not is_index)),
        "format:",
        *(_entry(key, value, table.asks) for key, value in form.items()),
        f"  wide: {json.dumps(wide, ensure_ascii=False)}",
        f"records: [{'index_close' if is_index else 'security_close'}]",
        "symbol:",
        "  column: symbol",
        f"  scheme: {scheme}",
        *(
            [f"  ignored: {json.dumps(dict.fromkeys(map(re.escape, others), 'no symbol'))}"]
            if others
            else []
        ),
        f"currency: {currency}",
        "columns:",
        f"  trade_date: {{column: {_quoted(columns['trade_date'])}, "
        f"format: {json.dumps(dates['format'])}}}{asked}",
        f"  close: {{column: close, unit: {'points' if is_index else currency}}}  # ? or another "
        "figure",
    ]
    return "\n".join(lines) + "\n"


def _dates(table: Table, columns: dict[str, str], path: Path) -> tuple[dict[str, Any], str]:
    if "trade_date" not in columns and "Price" in table.header and table.format.get("header_lines"):
        # Yahoo's table of several header lines has the dates below `Price`.
        columns.pop("close", None)
        columns |= {"trade_date": "Price"} | columns_of([h for h in table.header if h != "Price"])
    if "trade_date" not in columns:
        if _DATE_IN_NAME.search(path.name):
            return {"in_name": True}, ""
        raise FileReadError("has no column that looks like a date, and none in its name")
    values = table.column(columns["trade_date"])
    if not values:
        raise FileReadError("has no rows below its header")
    fitting = [form for form in DATE_FORMATS if values and all(_is_date(v, form) for v in values)]
    if not fitting:
        if all(re.fullmatch(r"\d{9,10}", value) for value in values):
            return {"format": "epoch"}, ""
        raise FileReadError(f"has dates in a form that is not known: {', '.join(values[:3])}")
    first, last = (datetime.strptime(value, fitting[0]) for value in (values[0], values[-1]))
    table.is_newest_first = first > last
    others = fitting[1:]
    return {"format": fitting[0]}, f"or {' or '.join(others)}" if others else ""


def _is_date(text: str, form: str) -> bool:
    try:
        return 1985 <= datetime.strptime(text, form).year <= 2100
    except ValueError:
        return False


def _symbol(table: Table, path: Path) -> tuple[dict[str, Any], str, bool]:
    """Where the symbols are and how they are written, the market, and whether they are indices."""
    stem = re.split(_SUFFIXES, path.name, flags=re.IGNORECASE)[0]
    for column in _symbol_columns(table):
        codes = sorted(set(table.column(column)))
        if found := _scheme(codes):
            scheme, symbol, is_index = found
            said: dict[str, Any] = {"column": _quoted(column), "scheme": scheme}
            if len(codes) == 1 and canonical(scheme, stem) == symbol:
                said = {"file": "symbol"} | said
            if scheme == "hkex_code" and not any(c.startswith("0") or len(c) > 4 for c in codes):
                said["ask"] = "of Hong Kong, or mainland codes that lost their zeros"
            return said, _market(symbol), is_index
    if table.format["type"] == "tdx_day" and not _TDX_IN_HUNDREDTHS.match(stem):
        raise FileReadError(
            f"is of {stem}, perhaps a fund or B share: their prices are in thousandths, and only "
            "A shares and indices are read (sh6…, sz00…, sz30…, sh000…, sz399…)"
        )
    for code in (stem, *re.findall(r"[#_ -](\d{4,6})$", stem)):
        if found := _scheme([code]):
            scheme, symbol, is_index = found
            said = {"file": "symbol", "scheme": scheme}
            if scheme == "a_share_code" and f"{code}.SH" in known_indices():
                said["ask"] = (
                    f'{symbol}; or index_close of {code}.SH, with map: {{"{code}": {code}.SH}} '
                    "in place of the scheme, and prices in points"
                )
            return said, _market(symbol), is_index
    numbered = next((s for s in (f"{stem}.SZ", f"{stem}.SH") if s in known_indices()), None)
    symbol = numbered or _INDEX_NAMES.get(stem, stem.upper())
    if symbol in known_indices():
        return {"file": "symbol", "map": {stem: symbol}}, _market(symbol), True
    raise FileReadError(
        f"has no column with symbols, and its name is none ({stem}); name the file for its symbol, "
        "such as 600519.csv, 0700.HK.csv or HSI.csv"
    )


def _symbol_columns(table: Table) -> list[str]:
    return [column for column in table.header if plain(column) in SYMBOL_CALLED.split()]


def _scheme(codes: Sequence[str]) -> tuple[Scheme, str, bool] | None:
    """The scheme by which all codes are indices, or securities; a symbol, and which of the two.

    Codes of Beijing, which is not covered, may be among them.

    Raises:
        FileReadError: they are of Hong Kong and of the mainland.
    """
    schemes: tuple[Scheme, ...] = (
        *("as_delivered", "csi_code", "hkex_code", "a_share_code", "exchange_code"),
    )
    for scheme in schemes:
        symbols = [canonical(scheme, code) for code in codes]
        if scheme == "hkex_code" and not all(re.fullmatch(r"\d{1,5}(\.HK)?", c) for c in codes):
            continue
        if symbols and known_indices() >= set(symbols):
            return scheme, symbols[0], True
        covered = [symbol for symbol in symbols if not symbol.endswith(".BJ")]
        if covered and not any(security_problem(symbol) for symbol in covered):
            if len({symbol.endswith(".HK") for symbol in covered}) > 1:
                raise FileReadError(
                    "has symbols of Hong Kong and of the mainland, in two currencies: cut it in "
                    "two files, or write two feeds that each pass over the other's codes "
                    "(symbol.ignored)"
                )
            return scheme, covered[0], False
    return None


def _market(symbol: str) -> str:
    """The market of a security, or of most constituents of an index."""
    if symbol.startswith("HS"):
        return "XHKG"
    return {"HK": "XHKG", "SZ": "XSHE"}.get(symbol.rsplit(".", 1)[-1], "XSHG")


def _pattern(path: Path, symbol: dict[str, Any], is_day: bool) -> str:
    suffix = "".join(found[0] for found in re.finditer(_SUFFIXES, path.name, re.IGNORECASE))
    if is_day:
        return _DATE_IN_NAME.sub("{date}", path.name, count=1)
    if "file" not in symbol:
        return "*" + suffix
    before = re.match(r".*[#_ -](?=\d{4,6}\.)", path.name)
    return ("*" + before[0][-1] if before else "") + "{symbol}" + suffix


def _numbers(table: Table, column: str) -> list[float]:
    """The number in each examined row, NaN where there is none."""
    at = table.header.index(column)
    return [_number(row[at] if at < len(row) else None, table.format) for row in table.rows]


def _number(cell: Cell, form: dict[str, Any]) -> float:
    text = (cell or "").strip().replace(form.get("thousands", "\0"), "").rstrip("% ")
    exponent = 0
    for letter, of_letter in form.get("magnitudes", {}).items():
        if text.endswith(letter):
            text, exponent = text[:-1], of_letter
    try:
        # Not a product, which would make 329.12万 no whole number.
        return float(f"{text}e{exponent}") if exponent else float(text)
    except ValueError:
        return float("nan")


def _price_basis(table: Table, columns: dict[str, str]) -> tuple[str, str]:
    closes = table.column(columns["close"])
    unproven = "; if adjusted, the units of volume and turnover are not proven"
    if any(value <= 0 for value in _numbers(table, columns["close"])):
        return "adjusted_difference", "some closes are not above 0"
    if any(len(close.partition(".")[2].rstrip("0")) > 3 for close in closes):
        return "adjusted_ratio", f"closes have more decimals than a tick{unproven}"
    fitting = _fitting_units(table, columns)
    if fitting and _are_far_from_dealt(table, columns, *fitting[0]):
        return "adjusted_difference", f"or adjusted_ratio; old closes are not those dealt{unproven}"
    return "traded", f"or adjusted_ratio, adjusted_difference: ask the vendor{unproven}"


def _are_far_from_dealt(table: Table, columns: dict[str, str], v: int, t: int) -> bool:
    """Whether closes are often less than half or more than twice turnover ÷ volume."""
    ratios = [ratio * 10.0 ** (t - v) for ratio in _ratios(table, columns)]
    return sum(not 0.5 < ratio < 2 for ratio in ratios) > 0.02 * len(ratios)


def _ratios(table: Table, columns: dict[str, str]) -> list[float]:
    """Turnover ÷ (volume × close) of the rows that have all three, as delivered."""
    dealt, volumes, closes = (
        _numbers(table, columns[name]) for name in ("turnover", "volume", "close")
    )
    return [
        turnover / (volume * close)
        for turnover, volume, close in zip(dealt, volumes, closes, strict=True)
        if volume > 0 and close > 0 and turnover > 0
    ]


def _units(
    table: Table, columns: dict[str, str], currency: str, is_index: bool
) -> tuple[dict[str, str], dict[str, str]]:
    """Canonical column -> its unit, and what must be asked about it."""
    price = "points" if is_index else currency
    units = dict.fromkeys(("open", "high", "low", "close", "previous_close", "change"), price)
    asks = {}
    units["change_pct"], asks["change_pct"] = _unit_of_change(table, columns)
    units["turnover_rate_pct"] = "percent"
    if rates := [r for r in _numbers_of(table, columns, "turnover_rate_pct") if r == r]:
        has_sign = any("%" in cell for cell in table.column(columns["turnover_rate_pct"]))
        if max(rates) < 0.5 and not has_sign:
            asks["turnover_rate_pct"] = "or fraction, if 0.01 is one percent"
    for name in ("total_cap", "float_cap"):
        size = size_in(columns.get(name))
        units[name] = f"{TURNOVER_UNITS.get(size or 0, '')}{currency}"
        if size is None:
            asks[name] = f"{currency}, or ten_thousand {currency}, or hundred_million {currency}"
    stated = {name: size_in(columns.get(name)) for name in ("volume", "turnover")}
    fitting = [] if is_index else _fitting_units(table, columns)
    of_header = [
        (v, t)
        for v, t in fitting
        if stated["volume"] in (None, v) and stated["turnover"] in (None, t)
    ]
    if of_header or fitting:
        volume, turnover = (of_header or fitting)[0]
    else:
        volume, turnover = stated["volume"] or 0, stated["turnover"] or 0
    units["volume"] = VOLUME_UNITS.get(volume, "shares")
    units["turnover"] = f"{TURNOVER_UNITS.get(turnover, '')}{currency}"
    others = [pair for pair in of_header or fitting if pair != (volume, turnover)]
    if fitting and not of_header:
        asks |= dict.fromkeys(
            ("volume", "turnover"), "turnover ÷ volume contradicts what the header states"
        )
    elif others:
        named = [f"{VOLUME_UNITS[v]} and {TURNOVER_UNITS[t]}{currency}" for v, t in others]
        asks |= dict.fromkeys(("volume", "turnover"), f"together; or {' or '.join(named)}")
    elif not fitting and not is_index and None not in stated.values():
        asks |= dict.fromkeys(("volume", "turnover"), "turnover ÷ volume is no price of the file")
    elif not fitting:
        if stated["volume"] is None:
            asks["volume"] = "or lots; the file does not prove it"
        if stated["turnover"] is None:
            asks["turnover"] = f"or thousand {currency}; the file does not prove it"
    return units, asks


def _numbers_of(table: Table, columns: dict[str, str], name: str) -> list[float]:
    return _numbers(table, columns[name]) if name in columns else []


def _unit_of_change(table: Table, columns: dict[str, str]) -> tuple[str, str]:
    """Percent, or fraction, as the closes of the file show; and what must be asked."""
    stated = _numbers_of(table, columns, "change_pct")
    if not stated or any("%" in cell for cell in table.column(columns["change_pct"])):
        return "percent", ""
    closes = _numbers(table, columns["close"])
    before = _numbers_of(table, columns, "previous_close")
    if not before and "change" in columns:
        before = [c - m for c, m in zip(closes, _numbers(table, columns["change"]), strict=True)]
    symbols = [row for row in _symbol_columns(table) if len(set(table.column(row))) > 1]
    if not before and not symbols:
        # The row above is the session before, or the one below.
        shift = -1 if table.is_newest_first else 1
        before = [
            closes[at - shift] if 0 <= at - shift < len(closes) else float("nan")
            for at in range(len(closes))
        ]
    ratios = [
        pct / moved
        for pct, close, previous in zip(stated, closes, before, strict=False)
        if previous > 0 and abs(moved := (close / previous - 1) * 100) > 0.05
    ]
    ratios = [ratio for ratio in ratios if ratio == ratio]
    if not ratios:
        small = all(abs(value) < 0.5 for value in stated if value == value)
        return "percent", "or fraction, if 0.01 is one percent" if small else ""
    middle = median(ratios)
    if 0.005 < middle < 0.02:
        return "fraction", ""
    return "percent", "" if 0.5 < middle < 2 else "it does not follow from the closes"


def _fitting_units(table: Table, columns: dict[str, str]) -> list[tuple[int, int]]:
    """Exponents of volume and turnover with which their quotient is a price of the file.

    The likeliest first. A thousand shares for a thousand yuan have the quotient of one share for
    one yuan: such pairs count where the header states them.
    """
    if not {"volume", "turnover"} <= set(columns):
        return []
    ratios, volumes = _ratios(table, columns), _numbers(table, columns["volume"])
    if not ratios:
        return []
    newest = ratios[:NEWEST_ROWS] if table.is_newest_first else ratios[-NEWEST_ROWS:]
    stated = {size_in(columns["volume"]), size_in(columns["turnover"])} - {None}
    # Shares have no decimals, thousands of them have, and lots may.
    is_whole = all(volume.is_integer() for volume in volumes if volume == volume)
    pairs = [
        (v, t)
        for t in TURNOVER_UNITS
        for v in VOLUME_UNITS
        if (v in stated or (v in (0, 2) if is_whole else v != 0))
        and (v != 3 or t == 3 or v in stated)
    ]
    # Prices that a vendor adjusted differ from those dealt, the newest least.
    for ratio in (median(ratios), median(newest)):
        fitting = [(v, t) for v, t in pairs if 0.5 < ratio * 10.0 ** (t - v) < 2]
        if fitting:
            # A thousand, a million or a hundred million of both are rarer than ten thousand.
            return sorted(fitting, key=lambda pair: (pair[0] in (3, 6, 8), pair))
    return []


# --- YAML ----------------------------------------------------------------------------------------


def _quoted(text: str) -> str:
    """A text as YAML reads it back."""
    is_plain = re.fullmatch(r"[^\W\d][\w ]*", text) and text.lower() not in _NO_TEXT
    return text if is_plain else json.dumps(text, ensure_ascii=False)


def _entry(key: str, value: Any, asks: dict[str, str] | None = None) -> str:
    if isinstance(value, dict):
        inner = ", ".join(f"{_quoted(str(k))}: {_quoted(str(v))}" for k, v in value.items())
        inner = inner if key == "map" else ", ".join(f"{k}: {v}" for k, v in value.items())
        return f"  {key}: {{{inner}}}"
    is_json = isinstance(value, str | bool | list)
    said = json.dumps(value, ensure_ascii=False) if is_json else str(value)
    said = value if isinstance(value, str) and re.fullmatch(r"[\w.-]+|\".*\"", value) else said
    asked = (asks or {}).get(key)
    return f"  {key}: {said}" + (f"  # ? {asked}" if asked else "")
