"""Reading the Daily Quotations of Hong Kong's exchange: a text of fixed columns inside HTML.

Belongs here: finding the date, the board and the sections, and making rows of their lines. Does not
belong here: what cells mean (`typed_rows.py`), which securities are read (the feeds' specs).

The file begins with its date and board. A section begins at its anchor, `<a name = "quotations">`,
and ends at the next one. Tags can stand before any line, where a page breaks, and names are padded
for one letter where they have an entity (`&amp;`): so both go before a line is divided. Source: two
excerpts of files of 2026, one of GEM's short selling of 2025, and the format as its readers
describe it.
"""

import html
import re
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal

from dagster_project.ingest.document import (
    LINES_PER_MEGABYTE,
    Cell,
    Document,
    FileReadError,
    Row,
    check_number,
)
from dagster_project.ingest.feed_spec import Format

_ANCHOR = re.compile(r"""<a\s+name\s*=\s*["']?(\w+)["']?\s*>""", re.IGNORECASE)
_TAG = re.compile(r"<[^>]*>")
_DATE = re.compile(r"DATE\s*:\s*(\d{1,2} [A-Z]{3} \d{4})")
_GEM = "GROWTH ENTERPRISE MARKET"
# The date and the board stand this near to the beginning.
_HEADING = 8_000

# Line 1 of a security: a marker (one of the most active, or halted from today), code, marker again,
# name, currency. The layout of 2010 has no currency, and all prices in it are in Hong Kong dollars.
_SECURITY = re.compile(r"([ *#])([ \d]{4}\d)[ #*]([^ ].{14})(.*)")
_CURRENCY = re.compile(r"  ?([A-Z]{3}) ")
_PRICE = re.compile(r"[\d,]*\.?\d+|-|N/A")
_HALTED = ("TRADING SUSPENDED", "TRADING HALTED")
# Lines of the section that are about no security.
_FRAMING = re.compile(
    r"\s*(CODE +NAME OF STOCK|CLOSING +BID|-{5,}|[*#] \d* ?(Most|Stock)|QUOTATIONS$)"
)

# A security sold short: marker (% where it is not dealt in Hong Kong dollars), code, name, figures.
# The columns of the figures were narrower once, so they are found after the 15 letters of a name.
_SOLD_SHORT = re.compile(r"([ %*#]*)(\d{1,5}) {1,2}(\S.{14})((?:\s+[\d,]+){4})")
_BEGINS_WITH_CODE = re.compile(r"[ %*#]*\d")

_QUOTATION = [
    "date", "code", "name", "currency", "status", "previous close", "ask", "high", "shares",
    "close", "bid", "low", "turnover",
]  # fmt: skip
_INDEX = ["date", "index", "close", "previous close", "change", "change %"]
_TURNOVER = ["date", "half-day", "turnover", "shares", "deals", "turnover of all securities"]
_SHORT_SELLING = [
    "date", "code", "name", "currency", "short shares", "short turnover", "total shares",
    "total turnover",
]  # fmt: skip


def read_hkex_quotations(text: str, format_: Format, board: str) -> Document:
    """Read one section of the file; `line_number` is the line in it.

    The section `quotations` has a row for each security, `indices` one for each index of the market
    highlights, `turnover` one for the board, `short_selling` one for each security sold short.

    Args:
        board: `main` or `gem`; a file of the other board is refused.

    Raises:
        FileReadError: it has no date, is of another board, or is cut off.
    """
    number_of_lines = text.count("\n") + (not text.endswith("\n"))
    check_number(number_of_lines, "lines", LINES_PER_MEGABYTE, format_)
    day = _date_and_board(text, board)
    if format_.section == "quotations":
        header, rows = _QUOTATION, list(_quotations(text, day))
    elif format_.section == "indices":
        header, rows = _INDEX, list(_indices(text, day))
    elif format_.section == "short_selling":
        header, rows = _SHORT_SELLING, list(_short_selling(text, day))
    else:
        header, rows = _TURNOVER, [_turnover(text, day)]
    # On a quiet night nothing may be sold short, above all on GEM.
    can_be_empty = format_.section == "short_selling"
    return Document(header, rows, number_of_lines - len(rows), can_be_empty)


def _date_and_board(text: str, board: str) -> str:
    heading = text[:_HEADING]
    found = _DATE.search(heading)
    if not found:
        raise FileReadError("has no date (DATE: 17 SEP 2025); is it a file of Daily Quotations?")
    contents = heading.find("TABLE OF CONTENT")
    is_gem = _GEM in heading[: contents if contents >= 0 else _HEADING]
    if is_gem != (board == "gem"):
        other = "GEM" if is_gem else "the Main Board"
        raise FileReadError(f"is the file of {other}, under the name of the other board; rename it")
    try:
        return datetime.strptime(found[1].title(), "%d %b %Y").date().isoformat()
    except ValueError as error:
        raise FileReadError(f"has no date in {found[0]!r}") from error


def _section(text: str, name: str) -> Iterator[tuple[int, str, str]]:
    """The lines of a section: number in the file, text as delivered, text without tags."""
    anchors = [(anchor[1].lower(), anchor.start()) for anchor in _ANCHOR.finditer(text)]
    place = next((n for n, (anchor, _) in enumerate(anchors) if anchor == name), None)
    if place is None:
        raise FileReadError(f"has no section {name}; the file is cut off, fetch it again")
    if place + 1 == len(anchors):
        raise FileReadError(f"ends within section {name}; it is cut off, fetch it again")
    begin, end = text.rfind("\n", 0, anchors[place][1]) + 1, anchors[place + 1][1]
    number = text.count("\n", 0, begin) + 1
    # The line of the next anchor does not belong to the section.
    end = text.rfind("\n", begin, end) + 1
    for line_number, line in enumerate(text[begin:end].split("\n")[:-1], number):
        bare = line
        if "<" in bare:
            bare = _TAG.sub("", bare)
        if "&" in bare:
            bare = html.unescape(bare)
        yield line_number, line, bare.rstrip()


def _quotations(text: str, day: str) -> Iterator[Row]:
    begun: tuple[int, str, list[Cell]] | None = None
    for number, line, bare in _section(text, "quotations"):
        if not bare or _FRAMING.match(bare):
            continue
        found = _SECURITY.fullmatch(f"{bare:<40}")
        if found is None and begun and bare.startswith(" " * 24):
            first_number, first_line, cells = begun
            begun = None
            values = _values(bare[24:])
            if values is None:
                yield _unread(first_number, first_line + "\n" + line)
                continue
            closes = [*cells, *values]
            if not _holds_figures(closes):
                continue
            closes[4] = "no_trade" if closes[8] == "-" else "traded"
            yield Row(first_number, first_line + "\n" + line, closes)
            continue
        if begun:
            yield _unread(*begun[:2])
            begun = None
        if found is None:
            yield _unread(number, line)
            continue
        name, rest = found[3].strip(), found[4]
        currency = _CURRENCY.match(rest)
        figures = rest[currency.end() :] if currency else rest
        about: list[Cell] = [day, found[2].strip(), name, currency[1] if currency else "HKD"]
        if figures.strip() in _HALTED:
            yield Row(number, line, [*about, "suspended", *[None] * 8])
        elif (values := _values(figures)) is not None:
            begun = number, line, [*about, None, *values]
        else:
            yield _unread(number, line)
    if begun:
        yield _unread(*begun[:2])


def _values(figures: str) -> list[Cell] | None:
    """The four figures of a line; None if it has not four, or others."""
    values = figures.split()
    if len(values) != 4 or not all(map(_PRICE.fullmatch, values)):
        return None
    return list(values)


def _holds_figures(cells: list[Cell]) -> bool:
    """Whether a security has any price: bonds that were never dealt have none."""
    previous, shares, close = cells[5], cells[8], cells[9]
    return not (previous == "N/A" and close == "N/A" and shares == "-")


def _unread(number: int, line: str) -> Row:
    """A line that cannot be understood: one cell is too few, so that it is rejected."""
    return Row(number, line, [line])


def _indices(text: str, day: str) -> Iterator[Row]:
    for number, line, bare in _section(text, "market_highlights"):
        name, *values = re.split(r"\s{2,}", bare.strip())
        values = [value for part in values for value in part.split()]
        if "INDEX" not in name or not any(map(str.isdigit, bare)):
            continue
        if len(values) < 5:
            yield _unread(number, line)
            continue
        morning, afternoon, previous, change, change_pct = values[:5]
        # A half-day has no afternoon.
        close = morning if afternoon == "-" else afternoon
        yield Row(number, line, [day, name, close, previous, change, change_pct.rstrip("%")])


def _turnover(text: str, day: str) -> Row:
    amounts: dict[str, str] = {}
    number, line = 0, ""
    is_half_day = False
    begun = False
    for at, delivered, bare in _section(text, "market_highlights"):
        if "Today's Turnover" in bare:
            begun = True
        if "HANG SENG INDEX" in bare:
            values = bare.split("INDEX", 1)[1].split()
            is_half_day = len(values) >= 5 and values[1] == "-"
        found = re.search(r"\((HK\$|Shares|Deals)\)\s*:\s*([\d,]+)", bare)
        if begun and found and found[1] not in amounts:
            amounts[found[1]] = found[2]
            if found[1] == "HK$":
                number, line = at, delivered
    if "HK$" not in amounts:
        raise FileReadError(
            "has no turnover (Today's Turnover: (HK$): …) in its market highlights; fetch it again"
        )
    cells: list[Cell] = [
        day, "*" if is_half_day else None, amounts["HK$"], amounts.get("Shares"),
        amounts.get("Deals"), _total(text, day),
    ]  # fmt: skip
    return Row(number, line, cells)


def _total(text: str, day: str) -> str:
    """The turnover of all securities dealt in Hong Kong dollars, as the quotations give it."""
    currency, turnover = _QUOTATION.index("currency"), _QUOTATION.index("turnover")
    total = Decimal(0)
    for row in _quotations(text, day):
        is_read = len(row.cells) == len(_QUOTATION)
        if (
            is_read
            and row.cells[currency] == "HKD"
            and (amount := row.cells[turnover] or "-") != "-"
        ):
            total += Decimal(amount.replace(",", ""))
    return str(total)


def _short_selling(text: str, day: str) -> Iterator[Row]:
    currencies: dict[Cell, Cell] | None = None
    for number, line, bare in _section(text, "short_selling"):
        found = _SOLD_SHORT.fullmatch(bare)
        if found is None:
            if _looks_sold_short(bare):
                yield _unread(number, line)
            continue
        marker, code, name, figures = found.groups()
        currency: Cell = "HKD"
        if "%" in marker:
            # The mark says that it is another currency, not which: its quotation does.
            if currencies is None:
                currencies = _currencies(text, day)
            currency = currencies.get(code)
        yield Row(number, line, [day, code, name.strip(), currency, *figures.split()])


def _looks_sold_short(line: str) -> bool:
    """Whether a line that cannot be read is about a security, not a title or a total."""
    is_listed = ":" not in line and len(re.findall(r"\d[\d,]*", line)) > 1
    return is_listed or _BEGINS_WITH_CODE.match(line) is not None


def _currencies(text: str, day: str) -> dict[Cell, Cell]:
    """Code -> currency of the securities in the quotations."""
    code, currency = _QUOTATION.index("code"), _QUOTATION.index("currency")
    return {
        row.cells[code]: row.cells[currency]
        for row in _quotations(text, day)
        if len(row.cells) == len(_QUOTATION)
    }
