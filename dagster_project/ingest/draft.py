"""Drafting the spec of a feed from a file of a vendor.

Belongs here: guessing a file's layout, columns, units and symbols, and asking where a guess is
not safe. Does not belong here: what a spec can say (`feed_spec.py`), reading by it (`reader.py`),
trying it (`trial.py`).

Every guess that the file itself does not prove is marked `# ?` in the draft.
"""

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import Any

from dagster_project.ingest.document import Cell, FileReadError
from dagster_project.ingest.feed_spec import Format
from dagster_project.ingest.read_json import parse_json, read_json
from dagster_project.ingest.read_parquet import read_parquet
from dagster_project.ingest.read_tdx_day import read_tdx_day
from dagster_project.ingest.unpack import unpack
from dagster_project.market.seeds import known_indices
from dagster_project.market.symbols import Scheme, canonical, security_problem

# What vendors call a column, in small letters and without spaces, dots and what is in brackets.
CALLED = {
    "trade_date": "date tradedate trade_date day time tradingday 日期 交易日期 时间 <date>",
    "open": "open openprice openingprice 开盘 开盘价 今开 今日开盘价 <open>",
    "high": "high highprice max 最高 最高价 高 <high>",
    "low": "low lowprice min 最低 最低价 低 <low>",
    "close": "close closeprice closingprice last lastprice price close/last 收盘 收盘价 今收 "
    "最新价 现价 <close>",
    "previous_close": "pre_close preclose prevclose previousclose lclose 昨收 前收 前收盘 前收盘价 "
    "昨收价 昨日收盘价",
    "change": "change chg 涨跌 涨跌额",
    "change_pct": "pct_chg pctchg change% chg% changepct changepercent pct_change 涨跌幅 涨幅",
    "volume": "vol volume tradingvol 成交量 总手 成交股数 <vol>",
    "turnover": "amount turnover value amt tradingvalue 成交额 成交金额 总金额 金额",
    "turnover_rate_pct": "turn turnover_rate turnoverrate 换手率",
    "name": "name shortname securityname 名称 股票名称 证券名称 证券简称 简称 股票简称",
    "total_cap": "total_mv totalmv marketcap 总市值",
    "float_cap": "circ_mv float_mv 流通市值",
}
SYMBOL_CALLED = (
    "code ts_code symbol ticker 代码 证券代码 股票代码 stockcode <ticker> 指数代码 indexcode"
)
DATE_FORMATS = (
    *("%Y-%m-%d", "%Y/%m/%d", "%Y%m%d", "%Y.%m.%d", "%m/%d/%Y", "%d/%m/%Y", "%m/%d/%y", "%d/%m/%y"),
    *("%d.%m.%Y", "%b %d, %Y", "%d %b %Y", "%d-%b-%Y", "%Y年%m月%d日", "%Y-%m-%d %H:%M:%S"),
)
MAGNITUDES = {"K": 3, "M": 6, "B": 9, "T": 12, "万": 4, "亿": 8}
# Exponents of turnover's and of volume's unit, and how the units are written.
TURNOVER_UNITS = {0: "", 3: "thousand ", 4: "ten_thousand ", 6: "million ", 8: "hundred_million "}
VOLUME_UNITS = {0: "shares", 2: "lots", 4: "ten_thousand shares", 6: "million shares"}
EXAMINED_ROWS = 2_000
_DATE_IN_NAME = re.compile(r"(19|20)\d{6}")
_INDEX_NAMES = {"^HSI": "HSI", "^HSCE": "HSCEI", "HSTECH.HK": "HSTECH"}


@dataclass
class _Table:
    """A file as a header and rows, with what a spec must say so that it is read like that."""

    header: list[str]
    rows: list[list[Cell]]
    format: dict[str, Any]
    asks: dict[str, str] = field(default_factory=dict)

    def column(self, name: str) -> list[str]:
        at = self.header.index(name)
        cells = (row[at] if at < len(row) else None for row in self.rows[:EXAMINED_ROWS])
        return [text for cell in cells if (text := (cell or "").strip()) and text not in _NOTHING]


_NOTHING = {"-", "--", "null", "None", "nan", "NaN", "N/A"}


def draft_spec(path: Path, name: str) -> str:
    """The draft of a spec, in YAML, for files like this one.

    Args:
        name: of the feed.

    Raises:
        FileReadError: it is in none of the formats that a spec can describe, or has no rows.
        OSError: the file cannot be read.
    """
    table = _read(path)
    columns = _columns(table.header)
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
    lines += [f"records: [{'index_close' if is_index else 'security_close'}]"]
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
        has_gaps = len(table.column(delivered)) < len(table.rows[:EXAMINED_ROWS])
        is_optional = has_gaps and canonical_name not in ("trade_date", "close", "name")
        parts = [f"column: {_quoted(delivered)}", *filter(None, [said])]
        parts += ["optional: true"] if is_optional else []
        lines.append(
            f"  {canonical_name}: {{{', '.join(parts)}}}" + (f"  # ? {asked}" * bool(asked))
        )
    used = {*columns.values(), symbol.get("column")}
    others = [column for column in dict.fromkeys(table.header) if column and column not in used]
    if others:
        lines.append("ignored_columns:")
        lines += [f"  {_quoted(column)}: not needed  # ?" for column in others]
    return "\n".join(lines) + "\n"


# --- The file as a table -------------------------------------------------------------------------


def _read(path: Path) -> _Table:
    content = path.read_bytes()
    if not content.strip():
        raise FileReadError("is empty")
    content = unpack(content, _format("xlsx" if b"xl/work" in content else "csv"))
    if content.startswith(b"PK\3\4"):
        return _from_workbook(content)
    if content.startswith(b"PAR1"):
        document = read_parquet(content, _format("parquet"))
        return _Table(document.header, [row.cells for row in document.rows], {"type": "parquet"})
    if path.suffix == ".day" and len(content) % 32 == 0:
        document = read_tdx_day(content, _format("tdx_day"))
        return _Table(document.header, [row.cells for row in document.rows], {"type": "tdx_day"})
    text, encoding = _decoded(content)
    is_json = re.match(r"\s*[\[{]|\s*[\w.$ ]+\s*[=(]\s*[\[{]", text)
    table = _from_json(text) if is_json else _from_csv(text)
    if encoding != "utf-8":
        table.format["encoding"] = encoding
        if encoding in ("gb18030", "big5"):
            table.asks["encoding"] = "gb18030, or big5"
    _find_numbers(table)
    return table


def _format(type_: str) -> Format:
    return Format.model_validate({"type": type_})


def _decoded(content: bytes) -> tuple[str, str]:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16"), "utf-16"
    for encoding in ("utf-8", "gb18030", "big5"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        with_mark = text.startswith("\ufeff")
        return text.removeprefix("\ufeff"), "utf-8-sig" if with_mark else encoding
    raise FileReadError("is in none of the encodings utf-8, utf-16, gb18030 and big5")


def _from_workbook(content: bytes) -> _Table:
    import openpyxl

    try:
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        rows = [
            ["" if value is None else str(value).strip() for value in values]
            for values in book.worksheets[0].iter_rows(max_row=EXAMINED_ROWS, values_only=True)
        ]
    except Exception as error:  # openpyxl raises errors of any type for a damaged workbook
        raise FileReadError(f"is not a readable workbook ({error})") from error
    at = _header_row(rows)
    while rows[at] and not rows[at][-1]:
        rows[at].pop()
    form: dict[str, Any] = {"type": "xlsx"} | ({"title_lines": at} if at else {})
    table = _Table(rows[at], [list(row) for row in rows[at + 1 :] if any(row)], form)
    _find_numbers(table)
    return table


def _from_csv(text: str) -> _Table:
    lines = text.replace("\r\n", "\n").replace("\r", "\n").rstrip("\n").split("\n")
    delimiter = max(",\t;|", key=lambda mark: _evenness(lines, mark))
    rows = [
        next(csv.reader([line], delimiter=delimiter, skipinitialspace=True), [])
        for line in lines[: EXAMINED_ROWS + 20]
    ]
    at = _header_row(rows)
    header = [cell.strip() for cell in rows[at]]
    form: dict[str, Any] = {"type": "csv"}
    form |= {"delimiter": delimiter} if delimiter != "," else {}
    form |= {"title_lines": at} if at else {}
    below = rows[at + 1 :]
    more = next((n for n, row in enumerate(below) if _has_numbers(row)), 0)
    form |= {"header_lines": 1 + more} if more else {}
    if more and rows[at + 1][:1] == ["Ticker"]:
        form["symbol_line"] = 2
    last = lines[-1].strip()
    asks = {}
    begin = re.split("[:：]", last)[0]
    is_below = begin and delimiter not in last and not last[:1].isdigit()
    if len(lines) > at + 2 + more and is_below:
        form["footer"] = begin
        asks["footer"] = "how the line below the rows begins"
    elif text.endswith("\n"):
        form["ends_with_newline"] = True
        asks["ends_with_newline"] = "whether every whole file does; then a cut one is seen"
    data: list[list[Cell]] = [list(row) for row in below[more:] if len(row) == len(header)]
    return _Table(header, data, form, asks)


def _evenness(lines: Sequence[str], mark: str) -> int:
    """How many of the first lines have the most usual number of these marks, if that is not 0."""
    counts = Counter(line.count(mark) for line in lines[:200])
    counts.pop(0, None)
    return max(counts.values(), default=0)


def _header_row(rows: Sequence[Sequence[str]]) -> int:
    """The number of the row that names the columns: as wide as most, with the most known names."""
    known = {word for words in [*CALLED.values(), SYMBOL_CALLED] for word in words.split()}
    scores = [sum(_plain(cell) in known for cell in row) for row in rows[:30]]
    if not scores or not max(scores):
        raise FileReadError("has no row that looks like a header")
    return scores.index(max(scores))


def _has_numbers(row: Sequence[str]) -> bool:
    numbers = sum(bool(re.fullmatch(r"[-+]?[\d,]*\.?\d+[%KMBT万亿]?", c.strip())) for c in row)
    return numbers >= max(2, len(row) // 2)


def _from_json(text: str) -> _Table:
    lists = [(p, found) for p, found in _lists(parse_json(text), "") if found]
    records = [(p, f) for p, f in lists if isinstance(f[0], dict | list) or _is_joined(f)]
    if not records:
        raise FileReadError("has no list of records, and lists for each column are not drafted")
    where, found = max(records, key=lambda item: len(item[1]))
    form: dict[str, Any] = {"type": "json", "records": where or "."}
    first = found[0]
    if isinstance(first, str):
        form["separator"] = ","
    if not isinstance(first, dict):
        width = len(first.split(",") if isinstance(first, str) else first)
        names = [p for p, f in lists if len(f) == width and p != where and _are_names(f)]
        if not names:
            raise FileReadError(
                f"has records without names at {where or '.'} "
                f"({json.dumps(first, ensure_ascii=False)}): say them in a spec of your own, as "
                "format.names"
            )
        form["names_at"] = names[0]
    document = read_json(text, Format.model_validate(form))
    return _Table(document.header, [row.cells for row in document.rows], form)


def _lists(value: Any, path: str) -> list[tuple[str, list[Any]]]:
    if isinstance(value, list):
        inner = _lists(value[0], f"{path}.0".strip(".")) if value and len(value) == 1 else []
        return [(path, value), *inner]
    if isinstance(value, dict):
        return [f for k, v in value.items() for f in _lists(v, f"{path}.{k}".strip("."))]
    return []


def _is_joined(values: list[Any]) -> bool:
    return isinstance(values[0], str) and values[0].count(",") >= 3


def _are_names(values: list[Any]) -> bool:
    return all(re.match(r"[^\W\d]", str(value)) for value in values)


def _find_numbers(table: _Table) -> None:
    """How numbers are written: separators of thousands, letters for magnitudes."""
    cells = [cell or "" for row in table.rows[:EXAMINED_ROWS] for cell in row]
    if any(re.fullmatch(r"-?\d{1,3}(,\d{3})+(\.\d+)?[%KMBT万亿]?", cell.strip()) for cell in cells):
        table.format["thousands"] = ","
    found = {c.strip()[-1] for c in cells if re.fullmatch(r"-?[\d.,]+[KMBT万亿]", c.strip())}
    if found:
        table.format["magnitudes"] = {letter: MAGNITUDES[letter] for letter in sorted(found)}


# --- What the columns mean -----------------------------------------------------------------------


def _plain(name: str) -> str:
    return re.sub(r"[\s.]|[(（].*?[)）]", "", name.lower())


def _columns(header: Sequence[str]) -> dict[str, str]:
    """Canonical name -> header text of the first column that is called so."""
    found: dict[str, str] = {}
    for name, words in CALLED.items():
        for column in header:
            if _plain(column) in words.split() and column not in found.values():
                found[name] = column
                break
    return found


def _dates(table: _Table, columns: dict[str, str], path: Path) -> tuple[dict[str, Any], str]:
    if "trade_date" not in columns and "Price" in table.header and table.format.get("header_lines"):
        # Yahoo's table of several header lines has the dates below `Price`.
        columns.pop("close", None)
        columns |= {"trade_date": "Price"} | _columns([h for h in table.header if h != "Price"])
    if "trade_date" not in columns:
        if _DATE_IN_NAME.search(path.name):
            return {"in_name": True}, ""
        raise FileReadError("has no column that looks like a date, and none in its name")
    values = table.column(columns["trade_date"])
    fitting = [form for form in DATE_FORMATS if values and all(_is_date(v, form) for v in values)]
    if not fitting:
        if values and all(re.fullmatch(r"\d{9,10}", value) for value in values):
            return {"format": "epoch"}, ""
        raise FileReadError(f"has dates in a form that is not known: {', '.join(values[:3])}")
    others = [form for form in fitting[1:] if form.lower() != fitting[0].lower()]
    return {"format": fitting[0]}, f"or {' or '.join(others)}" if others else ""


def _is_date(text: str, form: str) -> bool:
    try:
        return 1985 <= datetime.strptime(text, form).year <= 2100
    except ValueError:
        return False


def _symbol(table: _Table, path: Path) -> tuple[dict[str, Any], str, bool]:
    """Where the symbols are and how they are written, the market, and whether they are indices."""
    stem = re.split(r"\.(csv|txt|json|xlsx|xls|parquet|day|gz|zip)\b", path.name)[0]
    names = [c for c in table.header if _plain(c) in SYMBOL_CALLED.split()]
    for column in names:
        codes = sorted(set(table.column(column)))
        if found := _scheme(codes):
            scheme, symbol, is_index = found
            said: dict[str, Any] = {"column": _quoted(column), "scheme": scheme}
            if len(codes) == 1 and canonical(scheme, stem) == symbol:
                said = {"file": "symbol"} | said
            return said, _market(symbol), is_index
    for code in (stem, *re.findall(r"[#_ -](\d{4,6})$", stem)):
        if found := _scheme([code]):
            scheme, symbol, is_index = found
            return {"file": "symbol", "scheme": scheme}, _market(symbol), is_index
    symbol = _INDEX_NAMES.get(stem, stem.upper())
    if symbol in known_indices():
        return {"file": "symbol", "map": {stem: symbol}}, _market(symbol), True
    raise FileReadError(
        f"has no column with symbols, and its name is none ({stem}); name the file for its symbol, "
        "such as 600519.csv, 0700.HK.csv or HSI.csv"
    )


def _scheme(codes: Sequence[str]) -> tuple[Scheme, str, bool] | None:
    """The scheme by which all codes are indices, or securities; a symbol, and which of the two.

    Codes of Beijing, which is not covered, may be among them.
    """
    schemes: tuple[Scheme, ...] = (
        *("as_delivered", "csi_code", "hkex_code", "a_share_code", "exchange_code"),
    )
    for scheme in schemes:
        symbols = [canonical(scheme, code) for code in codes]
        if scheme == "hkex_code" and not all(re.fullmatch(r"\d{4,5}(\.HK)?", c) for c in codes):
            continue
        if symbols and known_indices() >= set(symbols):
            return scheme, symbols[0], True
        covered = [symbol for symbol in symbols if not symbol.endswith(".BJ")]
        if covered and not any(security_problem(symbol) for symbol in covered):
            return scheme, covered[0], False
    return None


def _market(symbol: str) -> str:
    """The market of a security, or of most constituents of an index."""
    if symbol.startswith("HS"):
        return "XHKG"
    return {"HK": "XHKG", "SZ": "XSHE"}.get(symbol.rsplit(".", 1)[-1], "XSHG")


def _pattern(path: Path, symbol: dict[str, Any], is_day: bool) -> str:
    suffix = "".join(re.findall(r"\.(?:csv|txt|json|xlsx|parquet|day|gz|zip)\b", path.name))
    if is_day:
        return _DATE_IN_NAME.sub("{date}", path.name, count=1)
    if "file" not in symbol:
        return "*" + suffix
    before = re.match(r".*[#_ -](?=\d{4,6}\.)", path.name)
    return ("*" + before[0][-1] if before else "") + "{symbol}" + suffix


def _numbers(table: _Table, column: str | None) -> list[float]:
    values = []
    for cell in table.column(column) if column else []:
        text = cell.replace(table.format.get("thousands", "\0"), "").rstrip("% ")
        factor = 1.0
        for letter, exponent in table.format.get("magnitudes", {}).items():
            if text.endswith(letter):
                text, factor = text[:-1], 10.0**exponent
        try:
            values.append(float(text) * factor)
        except ValueError:
            values.append(float("nan"))
    return values


def _price_basis(table: _Table, columns: dict[str, str]) -> tuple[str, str]:
    closes = table.column(columns["close"])
    if any(value <= 0 for value in _numbers(table, columns["close"])):
        return "adjusted_difference", "some closes are not above 0"
    if any(len(close.partition(".")[2].rstrip("0")) > 3 for close in closes):
        return "adjusted_ratio", "closes have more decimals than a tick"
    return "traded", "or adjusted_ratio, adjusted_difference: ask the vendor"


def _units(
    table: _Table, columns: dict[str, str], currency: str, is_index: bool
) -> tuple[dict[str, str], dict[str, str]]:
    """Canonical column -> its unit, and what must be asked about it."""
    price = "points" if is_index else currency
    units = dict.fromkeys(("open", "high", "low", "close", "previous_close", "change"), price)
    units |= {"change_pct": "percent", "turnover_rate_pct": "percent"}
    asks = {}
    units |= {"total_cap": currency, "float_cap": currency}
    for name in ("total_cap", "float_cap"):
        asks[name] = f"{currency}, or ten_thousand {currency}, or hundred_million {currency}"
    fitting = [] if is_index else _fitting_units(table, columns)
    volume, turnover = fitting[0] if fitting else ("shares", "")
    units |= {"volume": volume, "turnover": f"{turnover}{currency}"}
    if len(fitting) > 1:
        others = [f"{v} and {t}{currency}" for v, t in fitting[1:]]
        asks |= dict.fromkeys(("volume", "turnover"), f"together; or {' or '.join(others)}")
    elif not fitting:
        asks["volume"] = "or lots; the file does not prove it"
        asks["turnover"] = f"or thousand {currency}; the file does not prove it"
    return units, asks


def _fitting_units(table: _Table, columns: dict[str, str]) -> list[tuple[str, str]]:
    """The units of volume and turnover with which their quotient is a price of the file."""
    if not {"volume", "turnover"} <= set(columns):
        return []
    names = [columns[name] for name in ("turnover", "volume", "close")]
    places = [table.header.index(name) for name in names]
    whole = [r for r in table.rows[:EXAMINED_ROWS] if all(len(r) > p and r[p] for p in places)]
    part = _Table(table.header, whole, table.format)
    ratios = [
        dealt / (volume * close)
        for dealt, volume, close in zip(*(_numbers(part, name) for name in names), strict=True)
        if volume > 0 and close > 0 and dealt > 0
    ]
    if not ratios:
        return []
    ratio = median(ratios)
    # Shares have no decimals, thousands of them have, and lots may.
    is_whole = all(cell.removesuffix(".0").isdecimal() for cell in part.column(names[1]))
    volume_units = [0, 2] if is_whole else [v for v in VOLUME_UNITS if v]
    return [
        (VOLUME_UNITS[v], turnover)
        for t, turnover in TURNOVER_UNITS.items()
        for v in volume_units
        if 0.5 < ratio * 10.0 ** (t - v) < 2
    ]


# --- YAML ----------------------------------------------------------------------------------------


def _quoted(text: str) -> str:
    """A text as YAML reads it back."""
    is_plain = re.fullmatch(r"[^\W\d][\w ]*", text) and text.lower() not in (
        "yes",
        "no",
        "on",
        "off",
    )
    return text if is_plain else json.dumps(text, ensure_ascii=False)


def _entry(key: str, value: Any, asks: dict[str, str] | None = None) -> str:
    if isinstance(value, dict):
        inner = ", ".join(f"{_quoted(str(k))}: {_quoted(str(v))}" for k, v in value.items())
        inner = inner if key == "map" else ", ".join(f"{k}: {v}" for k, v in value.items())
        return f"  {key}: {{{inner}}}"
    said = json.dumps(value, ensure_ascii=False) if isinstance(value, str | bool) else str(value)
    said = value if isinstance(value, str) and re.fullmatch(r"[\w.-]+|\".*\"", value) else said
    asked = (asks or {}).get(key)
    return f"  {key}: {said}" + (f"  # ? {asked}" if asked else "")
