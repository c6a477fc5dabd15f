"""Corruptions of numbers, their spelling, units and signs: paragraph *Numbers* of the catalogue."""

import struct
from collections.abc import Callable
from decimal import ROUND_HALF_EVEN, Decimal

from tests.proof.corruptions.kind import (
    A_SHARE_FEEDS,
    DATED_FEEDS,
    PRICE_FEEDS,
    PRICES,
    Corruption,
    Place,
    kind,
)

VOLUME_FEEDS = ("sina_index", "baostock_index", "csindex", "yahoo_hk", *A_SHARE_FEEDS)
TURNOVER_FEEDS = ("baostock_index", "csindex", "hkex_turnover", *A_SHARE_FEEDS)
NUMBERS = (*PRICES, "previous_close", "change", "change_pct", "volume", "turnover", "deals",
           "rate_CNY", "rate_HKD", "rate_USD")  # fmt: skip


# --- Spelling -------------------------------------------------------------------------------------


def _spelled(spell: Callable[[str], str], *columns: str) -> Callable[[Place], Corruption]:
    def inject(place: Place) -> Corruption:
        row = place.row()
        column = place.column(
            *(c for c in columns if place.sheet.has(c) and spell(place.sheet.text(row, c))
              != place.sheet.text(row, c))
        )  # fmt: skip
        before = place.sheet.text(row, column)
        place.sheet.put(row, column, spell(before))
        return place.changed(f"{place.where(row)}: {column} {before} is {spell(before)!r}")

    return inject


def _grouped(text: str) -> str:
    whole, _, rest = text.replace(",", "").partition(".")
    if abs(int(whole)) < 1000:
        return text
    return f"{int(whole):,}{'.' + rest if rest else ''}"


def _grouped_and_quoted(text: str) -> str:
    return text if _grouped(text) == text else f'"{_grouped(text)}"'


def _full_width(text: str) -> str:
    return "".join(chr(ord(digit) + 0xFEE0) if "!" <= digit <= "~" else digit for digit in text)


def _abbreviated(text: str) -> str:
    value = float(text.replace(",", ""))
    for factor, letter in ((1e9, "B"), (1e6, "M"), (1e3, "K")):
        if value >= factor:
            return f"{value / factor:.2f}{letter}"
    return f"{value}K"


LARGE = ("turnover", "volume")
kind(
    "numbers",
    "commas between thousands, in quotes",
    ("baostock_index", "sina_index", "wsj_index", "yahoo_hk", *A_SHARE_FEEDS),
    name="thousands_comma_quoted",
)(_spelled(_grouped_and_quoted, "volume", "turnover", "high"))
kind(
    "numbers",
    "commas between thousands",
    ("baostock_index", "csindex", "wsj_index", "yahoo_hk"),
    name="thousands_comma",
)(_spelled(_grouped, "volume", "high"))
kind("numbers", "a comma for the decimal point", PRICE_FEEDS, name="decimal_comma")(
    _spelled(lambda text: text.replace(".", ","), *PRICES)
)
kind("numbers", "full-width digits", DATED_FEEDS, name="full_width_digits")(
    _spelled(_full_width, *NUMBERS)
)
kind(
    "numbers",
    "1.57B and the like",
    (*VOLUME_FEEDS, "hkex_turnover"),
    ("volume",),
    name="abbreviated",
)(_spelled(_abbreviated, *LARGE))
for _name, _text in (("not_available", "N/A"), ("dash", "-"), ("null_word", "null"), ("blank", ""),
                     ("nan", "nan"), ("infinity", "inf"), ("words", "see note")):  # fmt: skip
    kind(
        "numbers", f"{_text!r} instead of a number", DATED_FEEDS, name=f"instead_of_number_{_name}"
    )(
        _spelled(lambda _before, text=_text: text, *NUMBERS)  # type: ignore[misc]
    )
kind("numbers", "scientific notation", DATED_FEEDS, name="scientific_notation")(
    _spelled(lambda text: f"{Decimal(text.replace(',', '')):E}", *NUMBERS)
)


def leading_zeros_lost(place: Place) -> Corruption:
    rows = [r for r in range(len(place.sheet.rows)) if place.symbol(r).startswith("0")]
    for row in rows:
        place.sheet.put(row, "symbol", place.symbol(row).lstrip("0"))
    return place.changed(f"{len(rows)} codes of {place.path} have lost their leading zeros")


kind(
    "numbers",
    "codes of a list or a day that lost their leading zeros",
    ("tushare_daily", "tushare_stock_list"),
    name="leading_zeros_lost",
)(leading_zeros_lost)
kind(
    "numbers",
    "the code in a history that lost its leading zeros",
    ("eastmoney_a_share",),
    path="*/0*",
    name="leading_zeros_lost_in_history",
)(leading_zeros_lost)


@kind("numbers", "the code in a file's name lost its leading zeros", ("yahoo_hk",), path="*/0*")
def leading_zeros_lost_in_name(place: Place) -> Corruption:
    other = f"{place.feed}/{place.path.split('/')[1].lstrip('0')}"
    files = {place.path: place.landing.before[place.path], other: place.content}
    return Corruption(f"{place.path} came as {other}", files)


# --- Units ----------------------------------------------------------------------------------------

_SPANS = ("cell", "row", "tail", "file")


def _rows_of(place: Place, span: str) -> list[int]:
    """One row; from a row on to the last; or all rows."""
    if span == "row":
        return [place.row()]
    if span == "tail":
        rows = place.rows
        if place.is_day:  # units flip inside of the file
            rows = sorted(rows)
        return rows[place.rng.randrange(len(rows) // 4, 3 * len(rows) // 4) :]
    return [row for row in range(len(place.sheet.rows)) if place.sheet.text(row, "trade_date")]


def _scaled(
    columns: tuple[str, ...], factors: tuple[Decimal, ...], span: str
) -> Callable[[Place], Corruption]:
    def inject(place: Place) -> Corruption:
        rows, factor = _rows_of(place, span), place.rng.choice(factors)
        present = [column for column in columns if place.sheet.has(column)]
        for row in rows:
            for column in present:
                _scale(place, row, column, factor)
        where = place.where(rows[0]) if len(rows) == 1 else f"{len(rows)} rows of {place.path}"
        return place.changed(f"{where}: {', '.join(present)} × {factor}")

    return inject


def _scale(place: Place, row: int, column: str, factor: Decimal) -> None:
    value = place.sheet.number(row, column)
    scaled = value * factor
    if value == value.to_integral() and "." not in place.sheet.text(row, column):
        scaled = scaled.quantize(Decimal(1), ROUND_HALF_EVEN)
    elif factor not in (Decimal(100), Decimal("0.01")):
        scaled = round(scaled, 4)
    place.sheet.put(row, column, scaled)


HUNDRED, HUNDREDTH = Decimal(100), Decimal("0.01")
LEVELS = (*PRICES, "previous_close", "change")
_IN_SPAN = {"row": "in one row", "tail": "from the middle on", "file": "in the whole file"}
for _span, _words in _IN_SPAN.items():
    kind(
        "numbers",
        f"volume in lots for shares or the reverse, {_words}",
        VOLUME_FEEDS,
        ("volume",),
        name=f"volume_unit_{_span}",
    )(_scaled(("volume",), (HUNDRED, HUNDREDTH), _span))
    kind(
        "numbers",
        f"turnover in thousands, 万 or 亿, {_words}",
        TURNOVER_FEEDS,
        ("turnover",),
        name=f"turnover_unit_{_span}",
    )(
        _scaled(
            ("turnover",),
            (Decimal("1e-3"), Decimal("1e-4"), Decimal("1e-8"), Decimal("1000")),
            _span,
        )
    )
    kind("numbers", f"prices × 100 {_words}", PRICE_FEEDS, name=f"price_x100_{_span}")(
        _scaled(LEVELS, (HUNDRED,), _span)
    )
    kind("numbers", f"prices ÷ 100 {_words}", PRICE_FEEDS, name=f"price_by_100_{_span}")(
        _scaled(LEVELS, (HUNDREDTH,), _span)
    )
    kind(
        "numbers",
        f"prices in another currency {_words}",
        PRICE_FEEDS,
        name=f"other_currency_{_span}",
    )(
        _scaled(
            (*LEVELS, "turnover"), (Decimal("0.1285"), Decimal("0.1406"), Decimal("7.78")), _span
        )
    )


@kind("numbers", "prices in a near currency (HKD and CNY) in the whole file", PRICE_FEEDS)
def near_currency_file(place: Place) -> Corruption:
    factors = (Decimal("0.915"), Decimal("1.093"))
    return _scaled((*LEVELS, "turnover"), factors, "file")(place)


def _one_price(factor: Decimal) -> Callable[[Place], Corruption]:
    def inject(place: Place) -> Corruption:
        row, column = place.row(), place.column(*PRICES, "previous_close")
        _scale(place, row, column, factor)
        return place.changed(f"{place.where(row)}: {column} × {factor}")

    return inject


kind("numbers", "one price × 100", PRICE_FEEDS, name="price_x100_cell")(_one_price(HUNDRED))
kind("numbers", "one price ÷ 100", PRICE_FEEDS, name="price_by_100_cell")(_one_price(HUNDREDTH))


@kind(
    "numbers",
    "prices that went through 32 bits",
    ("wsj_index", "sina_index", "baostock_index", "csindex", *A_SHARE_FEEDS),
)
def rounded_to_32_bits(place: Place) -> Corruption:
    for row in range(len(place.sheet.rows)):
        for column in place.prices():
            value = float(place.sheet.number(row, column))
            (single,) = struct.unpack("<f", struct.pack("<f", value))
            place.sheet.put(row, column, repr(single))
    return place.changed(f"{place.path}: prices are 32-bit numbers")


# --- Signs and order ------------------------------------------------------------------------------


@kind("numbers", "a price of zero", PRICE_FEEDS)
def price_zero(place: Place) -> Corruption:
    row, column = place.row(), place.column(*PRICES, "previous_close")
    place.sheet.put(row, column, "0.00")
    return place.changed(f"{place.where(row)}: {column} is 0")


@kind("numbers", "all prices of a row zero", PRICE_FEEDS)
def row_of_zeros(place: Place) -> Corruption:
    row = place.row()
    for column in (*place.prices(), "volume", "turnover", "change_pct"):
        if place.sheet.has(column):
            place.sheet.put(row, column, "0")
    return place.changed(f"{place.where(row)}: every figure is 0")


@kind("numbers", "a negative price", PRICE_FEEDS)
def price_negative(place: Place) -> Corruption:
    row, column = place.row(), place.column(*PRICES, "previous_close")
    place.sheet.put(row, column, -place.sheet.number(row, column))
    return place.changed(f"{place.where(row)}: {column} is negative")


@kind("numbers", "forward-adjusted history that goes below zero", ("eastmoney_a_share", "yahoo_hk"))
def forward_adjusted_below_zero(place: Place) -> Corruption:
    rows = place.rows[: len(place.rows) // 2]
    low = min(place.sheet.number(row, "low") for row in rows)
    for row in range(rows[-1] + 1):
        for column in PRICES:
            place.sheet.put(row, column, round(place.sheet.number(row, column) - low * 2, 2))
    return place.changed(f"{place.path}: prices up to {place.sheet.date(rows[-1])} are negative")


@kind("numbers", "a negative volume or turnover", (*VOLUME_FEEDS, "hkex_turnover"), ("volume",))
def volume_negative(place: Place) -> Corruption:
    row, column = place.row(), place.column("volume", "turnover")
    place.sheet.put(row, column, -place.sheet.number(row, column))
    return place.changed(f"{place.where(row)}: {column} is negative")


@kind("numbers", "the turnover of a day is zero", TURNOVER_FEEDS, ("turnover",))
def turnover_zero(place: Place) -> Corruption:
    row = place.row()
    place.sheet.put(row, "turnover", "0")
    return place.changed(f"{place.where(row)}: turnover is 0")


@kind("numbers", "the volume of a day is zero", VOLUME_FEEDS, ("volume",))
def volume_zero(place: Place) -> Corruption:
    row = place.row()
    place.sheet.put(row, "volume", "0")
    return place.changed(f"{place.where(row)}: volume is 0")


def _swapped_in_row(one: str, other: str) -> Callable[[Place], Corruption]:
    def inject(place: Place) -> Corruption:
        row = place.row()
        if place.sheet.number(row, one) == place.sheet.number(row, other):
            candidates = [
                r for r in place.rows if place.sheet.number(r, one) != place.sheet.number(r, other)
            ]
            row = place.rng.choice(candidates)
        cells = place.sheet.rows[row]
        first, second = place.sheet.position(one), place.sheet.position(other)
        cells[first], cells[second] = cells[second], cells[first]
        return place.changed(f"{place.where(row)}: {one} and {other} swapped")

    return inject


kind("numbers", "high below low in a row", PRICE_FEEDS, name="high_below_low")(
    _swapped_in_row("high", "low")
)
kind(
    "numbers",
    "open and close swapped in a row, where another figure tells",
    ("baostock_index", *A_SHARE_FEEDS),
    name="open_close_swapped",
)(_swapped_in_row("open", "close"))
kind(
    "numbers",
    "open and close swapped in a row that states nothing else",
    ("wsj_index", "yahoo_index", "sina_index", "csindex", "yahoo_hk"),
    unseeable="both lie between low and high; no change is stated, and no other feed the close",
    name="open_close_swapped_alone",
)(_swapped_in_row("open", "close"))


@kind("numbers", "a sign turned round", ("baostock_index", *A_SHARE_FEEDS), ("change_pct",))
def sign_flipped(place: Place) -> Corruption:
    column = place.column("change_pct", "change")
    row = next(
        r
        for r in (place.row() for _ in range(1000))
        if abs(place.sheet.number(r, column)) > Decimal("0.04")
    )
    place.sheet.put(row, column, -place.sheet.number(row, column))
    return place.changed(f"{place.where(row)}: the sign of {column} is turned round")


@kind(
    "numbers",
    "a change in percent that does not follow from the closes",
    ("baostock_index", *A_SHARE_FEEDS),
    ("change_pct",),
)
def change_pct_does_not_follow(place: Place) -> Corruption:
    row = place.row()
    wrong = place.sheet.number(row, "change_pct") + Decimal(
        place.rng.choice(["0.5", "-0.3", "2", "-9.9"])
    )
    place.sheet.put(row, "change_pct", wrong)
    return place.changed(f"{place.where(row)}: change_pct is {wrong}")


@kind("numbers", "a change that does not follow from the closes", A_SHARE_FEEDS, ("change",))
def change_does_not_follow(place: Place) -> Corruption:
    row = place.row()
    wrong = place.sheet.number(row, "change") + Decimal(place.rng.choice(["0.5", "-0.3", "2"]))
    place.sheet.put(row, "change", wrong)
    return place.changed(f"{place.where(row)}: change is {wrong}")


@kind(
    "numbers",
    "a change as a ratio where percent is declared",
    ("baostock_index", *A_SHARE_FEEDS),
    ("change_pct",),
)
def change_pct_as_ratio(place: Place) -> Corruption:
    for row in range(len(place.sheet.rows)):
        place.sheet.put(row, "change_pct", place.sheet.number(row, "change_pct") / 100)
    return place.changed(f"{place.path}: change_pct is a ratio")
