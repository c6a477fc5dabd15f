"""Corruptions of what figures mean together: paragraph *Meaning* of the catalogue."""

import io
import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal

import openpyxl

from seeds.sample.generate import workbook_bytes
from tests.proof.corruptions.kind import (
    A_SHARE_FEEDS,
    INDEX_FEEDS,
    NIGHT,
    PRICE_FEEDS,
    PRICES,
    SECURITY_FEEDS,
    Corruption,
    Place,
    kind,
)
from tests.proof.corruptions.sheet import Sheet
from tests.proof.corruptions.times import HISTORY_FEEDS, _move_close

SINGLE_FEEDS = ("wsj_index", "yahoo_index", "sina_index", "csindex", "yahoo_hk")
TUSHARE = f"tushare_daily/{NIGHT:%Y%m%d}.csv"


def _places(number: Decimal) -> int:
    return max(0, -int(number.as_tuple().exponent))


def _put_like(sheet: Sheet, row: int, column: str, value: Decimal) -> None:
    """A number with as many decimals as the cell has."""
    sheet.put(row, column, round(value, _places(sheet.number(row, column))))


def _previous_close(place: Place, row: int) -> Decimal:
    if place.sheet.has("previous_close"):
        return place.sheet.number(row, "previous_close")
    return place.sheet.number(place.rows[place.rows.index(row) - 1], "close")


def _flat(place: Place, row: int, with_volume: bool) -> None:
    """A row that stands still at the previous close."""
    previous = _previous_close(place, row)
    for column in PRICES:
        place.sheet.put(row, column, previous)
    for column in ("change", "change_pct"):
        if place.sheet.has(column):
            place.sheet.put(row, column, "0.0")
    if not with_volume:
        for column in ("volume", "turnover"):
            if place.sheet.has(column):
                place.sheet.put(row, column, "0")


@kind("meaning", "a suspended share shown as traded, at its last close", SECURITY_FEEDS)
def suspended_as_traded(place: Place) -> Corruption:
    row = place.tonight()
    _flat(place, row, with_volume=True)
    return place.changed(f"{place.where(row)} stands still at the previous close, with volume")


@kind("meaning", "a share that traded shown as suspended", SECURITY_FEEDS)
def traded_as_suspended(place: Place) -> Corruption:
    row = place.tonight()
    _flat(place, row, with_volume=False)
    return place.changed(f"{place.where(row)} stands still at the previous close, without volume")


def _other_previous(is_consistent: bool) -> Callable[[Place], Corruption]:
    def inject(place: Place) -> Corruption:
        row = place.tonight()
        sheet = place.sheet
        close = sheet.number(row, "close")
        previous = close - sheet.number(row, "change")
        wrong = round(previous * Decimal(place.rng.choice(["0.98", "1.02", "0.9", "1.05"])), 2)
        if sheet.has("previous_close"):
            sheet.put(row, "previous_close", wrong)
        if is_consistent or not sheet.has("previous_close"):
            _put_like(sheet, row, "change", close - wrong)
        if is_consistent:
            _put_like(sheet, row, "change_pct", (close / wrong - 1) * 100)
        return place.changed(f"{place.where(row)}: previous close {wrong} instead of {previous}")

    return inject


kind(
    "meaning",
    "another previous close, with the change that follows from it",
    A_SHARE_FEEDS,
    name="previous_close_consistent",
)(_other_previous(True))
kind(
    "meaning",
    "another previous close, with the change of the right one",
    A_SHARE_FEEDS,
    name="previous_close_inconsistent",
)(_other_previous(False))


@kind(
    "meaning",
    "the return of one session taken for another's: tonight's change is yesterday's",
    ("baostock_index", "eastmoney_a_share"),
    ("change_pct",),
)
def change_of_session_before(place: Place) -> Corruption:
    row, before = place.rows[-1], place.rows[-2]
    for column in ("change_pct", "change"):
        if place.sheet.has(column):
            place.sheet.put(row, column, place.sheet.number(before, column))
    return place.changed(f"{place.where(row)}: the change is that of the session before")


def _both_feeds(place: Place, change: Callable[[Place, int], None]) -> dict[str, bytes | None]:
    """Change tonight's row of one A share in both of its feeds."""
    code = place.path.split("/")[1].removesuffix(".csv")
    history = Place(place.landing, [place.path], place.rng)
    change(history, history.rows[-1])
    day = Place(place.landing, [TUSHARE], place.rng)
    row = next(r for r in range(len(day.sheet.rows)) if day.symbol(r).startswith(code))
    change(day, row)
    return {place.path: history.sheet.render(), TUSHARE: day.sheet.render()}


def _times(factor: Decimal, volume: Decimal = Decimal(1)) -> Callable[[Place, int], None]:
    """Tonight's prices by a factor, and the change that follows."""

    def change(place: Place, row: int) -> None:
        sheet = place.sheet
        for column in ("open", "high", "low"):
            _put_like(sheet, row, column, sheet.number(row, column) * factor)
        close = sheet.number(row, "close")
        _move_close(place, row, round(close * factor, _places(close)))
        low, high = sheet.number(row, "low"), sheet.number(row, "high")
        close = sheet.number(row, "close")
        sheet.put(row, "low", min(low, close))
        sheet.put(row, "high", max(high, close))
        if sheet.has("volume"):
            _put_like(sheet, row, "volume", sheet.number(row, "volume") * volume)
        if sheet.has("turnover"):
            _put_like(sheet, row, "turnover", sheet.number(row, "turnover") * volume * factor)

    return change


@kind(
    "meaning",
    "a dividend that no feed's previous close refers to",
    ("eastmoney_a_share",),
    unseeable="a fall within the limit is what a bad day looks like; no feed tells of dividends",
    beside=TUSHARE,
)
def dividend_not_referenced(place: Place) -> Corruption:
    files = _both_feeds(place, _times(Decimal("0.985")))
    return Corruption(f"{place.path}: tonight fell by a dividend that nothing tells of", files)


@kind("meaning", "a split that nothing adjusts for, in the share's only feed", ("yahoo_hk",))
def split_unadjusted(place: Place) -> Corruption:
    parts = place.rng.choice([2, 4, 10])
    row = place.rows[-1]
    _times(Decimal(1) / parts, Decimal(parts))(place, row)
    return place.changed(f"{place.where(row)}: one share became {parts}")


@kind(
    "meaning",
    "a split that nothing adjusts for, in both feeds of the share",
    ("eastmoney_a_share",),
    beside=TUSHARE,
)
def split_unadjusted_in_all_feeds(place: Place) -> Corruption:
    parts = place.rng.choice([2, 4, 10])
    files = _both_feeds(place, _times(Decimal(1) / parts, Decimal(parts)))
    return Corruption(f"{place.path}: one share became {parts}", files)


@kind("meaning", "shares consolidated, ten into one, in the share's only feed", ("yahoo_hk",))
def consolidation_unadjusted(place: Place) -> Corruption:
    row = place.rows[-1]
    _times(Decimal(10), Decimal("0.1"))(place, row)
    return place.changed(f"{place.where(row)}: ten shares became one")


@kind("meaning", "a move beyond the price limit, in one feed", A_SHARE_FEEDS)
def beyond_limit(place: Place) -> Corruption:
    row = place.tonight()
    _times(Decimal(place.rng.choice(["1.25", "0.74"])))(place, row)
    return place.changed(f"{place.where(row)} moved beyond its limit")


@kind(
    "meaning",
    "a move beyond the price limit, in both feeds",
    ("eastmoney_a_share",),
    beside=TUSHARE,
)
def beyond_limit_in_all_feeds(place: Place) -> Corruption:
    files = _both_feeds(place, _times(Decimal(place.rng.choice(["1.25", "0.74"]))))
    return Corruption(f"{place.path}: tonight moved beyond its limit", files)


@kind("meaning", "an index that moves by a quarter", INDEX_FEEDS)
def index_jump(place: Place) -> Corruption:
    row = place.tonight()
    _times(Decimal(place.rng.choice(["1.25", "0.75"])))(place, row)
    return place.changed(f"{place.where(row)} moved by a quarter")


def _other_close(place: Place) -> Corruption:
    row = place.row()
    sheet = place.sheet
    low, high, close = (sheet.number(row, column) for column in ("low", "high", "close"))
    other = low if close - low > high - close else high
    if place.feed in A_SHARE_FEEDS:
        _move_close(place, row, other)
    else:
        sheet.put(row, "close", other)
    return place.changed(f"{place.where(row)}: close {other} instead of {close}")


# The change follows, so that only another feed of the same share contradicts the close.
kind(
    "meaning",
    "a close in the day's range that another feed contradicts",
    A_SHARE_FEEDS,
    name="feeds_disagree",
    beside=TUSHARE,
)(_other_close)
kind(
    "meaning",
    "a close in the day's range that its own change contradicts",
    ("baostock_index",),
    name="change_disagrees",
)(_other_close)


@kind(
    "meaning",
    "a close in the day's range of what one feed alone states",
    SINGLE_FEEDS,
    unseeable="it lies between low and high, and no stated change or other feed contradicts it",
)
def close_wrong_alone(place: Place) -> Corruption:
    row = place.tonight()
    sheet = place.sheet
    low, high, close = (sheet.number(row, column) for column in ("low", "high", "close"))
    other = low if close - low > high - close else high
    sheet.put(row, "close", other)
    return place.changed(f"{place.where(row)}: close {other} instead of {close}")


@kind("meaning", "two digits of a close transposed", ("baostock_index", *A_SHARE_FEEDS))
def digits_transposed(place: Place) -> Corruption:
    # A close of tonight may well be 11.11.
    draws = [*(place.tonight() for _ in range(100)), *place.rng.sample(place.rows, len(place.rows))]
    row = next(r for r in draws if _transposed(place, r) != place.sheet.text(r, "close"))
    text, wrong = place.sheet.text(row, "close"), _transposed(place, row)
    place.sheet.put(row, "close", wrong)
    return place.changed(f"{place.where(row)}: close {wrong} instead of {text}")


def _transposed(place: Place, row: int) -> str:
    """The close with the first two neighbouring digits that differ transposed."""
    return re.sub(r"(\d)(?!\1)(\d)", r"\2\1", place.sheet.text(row, "close"), count=1)


# --- Totals and parts -----------------------------------------------------------------------------


@kind(
    "meaning",
    "the Main Board's turnover with GEM's in it",
    ("hkex_turnover",),
    unseeable="GEM is a thousandth of the total; another source of the total would be needed",
)
def main_board_includes_gem(place: Place) -> Corruption:
    main, gem = (f"hkex_turnover/{board}_2021_2025.json" for board in ("main", "gem"))
    here, other = Place(place.landing, [main], place.rng), Place(place.landing, [gem], place.rng)
    row = here.rows[-1]
    total = here.sheet.number(row, "turnover") + other.sheet.number(other.rows[-1], "turnover")
    here.sheet.put(row, "turnover", total)
    return here.changed(f"{here.where(row)}: the turnover has GEM's in it")


@kind("meaning", "GEM's turnover is the whole market's", ("hkex_turnover",))
def gem_holds_total(place: Place) -> Corruption:
    main, gem = (f"hkex_turnover/{board}_2021_2025.json" for board in ("main", "gem"))
    here, other = Place(place.landing, [gem], place.rng), Place(place.landing, [main], place.rng)
    row = here.rows[-1]
    here.sheet.put(row, "turnover", other.sheet.number(other.rows[-1], "turnover"))
    return here.changed(f"{here.where(row)}: the turnover is the Main Board's")


@kind("meaning", "a market's turnover counts the other market too", ("baostock_index",))
def sub_totals_counted_twice(place: Place) -> Corruption:
    paths = ["baostock_index/sh000001.csv", "baostock_index/sz399001.csv"]
    place.rng.shuffle(paths)
    here, other = (Place(place.landing, [path], place.rng) for path in paths)
    row = here.rows[-1]
    total = here.sheet.number(row, "turnover") + other.sheet.number(other.rows[-1], "turnover")
    here.sheet.put(row, "turnover", total)
    return here.changed(f"{here.where(row)}: the turnover is that of both markets")


@kind(
    "meaning",
    "a market's turnover is less than its securities'",
    ("baostock_index",),
    path="*/sh000001.csv",
)
def total_below_parts(place: Place) -> Corruption:
    row = place.rows[-1]
    part = place.sheet.number(row, "turnover") / place.rng.choice([30, 50, 200])
    place.sheet.put(row, "turnover", round(part, 1))
    return place.changed(f"{place.where(row)}: the turnover is a part of the market's")


@kind("meaning", "the turnover of one market under the other's name", ("baostock_index",))
def turnover_of_other_market(place: Place) -> Corruption:
    paths = ["baostock_index/sh000001.csv", "baostock_index/sz399001.csv"]
    here, other = (Place(place.landing, [path], place.rng) for path in paths)
    one, two = here.rows[-1], other.rows[-1]
    first, second = here.sheet.number(one, "turnover"), other.sheet.number(two, "turnover")
    here.sheet.put(one, "turnover", second)
    other.sheet.put(two, "turnover", first)
    return Corruption("tonight's turnover of Shanghai and Shenzhen is swapped",
                      {paths[0]: here.sheet.render(), paths[1]: other.sheet.render()})  # fmt: skip


# --- Who belongs where ----------------------------------------------------------------------------


@kind("meaning", "a security that the list does not name", ("tushare_stock_list",))
def security_not_listed(place: Place) -> Corruption:
    row = _listed(place)
    what = f"{place.symbol(row)} is not in {place.path}"
    del place.sheet.rows[row]
    return place.changed(what)


@kind("meaning", "a security of an industry that no sector has", ("tushare_stock_list",))
def industry_unknown(place: Place) -> Corruption:
    row = _listed(place)
    place.sheet.put(row, "industry", place.rng.choice(["", "元宇宙", "Unknown"]))
    return place.changed(f"{place.symbol(row)} has industry {place.sheet.text(row, 'industry')!r}")


@kind("meaning", "a security in two industries, in one list", ("tushare_stock_list",))
def two_industries(place: Place) -> Corruption:
    row = _listed(place)
    place.sheet.rows.append(list(place.sheet.rows[row]))
    place.sheet.put(len(place.sheet.rows) - 1, "industry", _other_industry(place, row))
    return place.changed(f"{place.symbol(row)} stands twice, in two industries")


@kind("meaning", "a security in two industries, in two lists", ("tushare_stock_list",))
def two_industries_in_two_files(place: Place) -> Corruption:
    row = _listed(place)
    place.sheet.put(row, "industry", _other_industry(place, row))
    place.sheet.rows[:] = [place.sheet.rows[row]]
    return Corruption(f"{place.symbol(0)} is of another industry in a second list",
                      {"tushare_stock_list/stock_list_2.csv": place.sheet.render()})  # fmt: skip


@kind("meaning", "a security moved to another industry without notice", ("tushare_stock_list",))
def industry_changed(place: Place) -> Corruption:
    row = _listed(place)
    other = _other_industry(place, row)
    place.sheet.put(row, "industry", other)
    return place.changed(f"{place.symbol(row)} is of industry {other}")


def _listed(place: Place) -> int:
    rows = [r for r in range(len(place.sheet.rows)) if not place.symbol(r).endswith(".BJ")]
    return place.rng.choice(rows)


def _other_industry(place: Place, row: int) -> str:
    own = place.sheet.text(row, "industry")
    industries = {place.sheet.text(r, "industry") for r in range(len(place.sheet.rows))}
    return place.rng.choice(sorted(industries - {own}))


@kind("meaning", "a constituent that the index provider's list lacks", ("hsi_composite_list",))
def constituent_missing(place: Place) -> Corruption:
    book = openpyxl.load_workbook(io.BytesIO(place.content))
    sheet = book.worksheets[0]
    rows = [r for r in range(2, sheet.max_row + 1) if isinstance(sheet.cell(r, 3).value, int)]
    row = place.rng.choice(rows)
    code = sheet.cell(row, 3).value
    sheet.delete_rows(row)
    return place.replaced(f"{code} is not in {place.path}", workbook_bytes(book))


@kind("meaning", "a constituent of another industry", ("hsi_composite_list",))
def constituent_moved(place: Place) -> Corruption:
    book = openpyxl.load_workbook(io.BytesIO(place.content))
    sheet = book.worksheets[0]
    rows = [r for r in range(2, sheet.max_row + 1) if isinstance(sheet.cell(r, 3).value, int)]
    row = place.rng.choice(rows)
    industries = sorted(
        {str(sheet.cell(r, 7).value) for r in rows} - {str(sheet.cell(row, 7).value)}
    )
    sheet.cell(row, 7).value = place.rng.choice(industries)
    return place.replaced(
        f"{sheet.cell(row, 3).value} is of another industry", workbook_bytes(book)
    )


# --- History and fallbacks ------------------------------------------------------------------------


@kind(
    "meaning",
    "some earlier rows restated without notice",
    tuple(f for f in HISTORY_FEEDS if f in PRICE_FEEDS),
)
def history_restated(place: Place) -> Corruption:
    rows = place.rng.sample(place.rows[:-1], place.rng.choice([1, 3, 10]))
    for row in rows:
        for column in PRICES:
            _put_like(place.sheet, row, column, place.sheet.number(row, column) * Decimal("1.013"))
    return place.changed(f"{len(rows)} earlier rows of {place.path} are 1.3 % higher")


@kind("meaning", "earlier turnover restated without notice", ("hkex_turnover", "baostock_index"))
def turnover_restated(place: Place) -> Corruption:
    row = place.rng.choice(place.rows[:-1])
    _put_like(place.sheet, row, "turnover", place.sheet.number(row, "turnover") * Decimal("1.03"))
    return place.changed(f"{place.where(row)}: turnover is 3 % higher")


@kind("meaning", "a whole series scaled", tuple(f for f in HISTORY_FEEDS if f in PRICE_FEEDS))
def series_scaled(place: Place) -> Corruption:
    factor = Decimal(place.rng.choice(["0.97", "1.05", "0.5"]))
    for row in range(len(place.sheet.rows)):
        for column in place.prices():
            _put_like(place.sheet, row, column, place.sheet.number(row, column) * factor)
    return place.changed(f"every price of {place.path} × {factor}")


@kind(
    "meaning", "three symbols where all are due", ("tushare_daily", "yahoo_hk", "eastmoney_a_share")
)
def three_symbols(place: Place) -> Corruption:
    if place.is_day:
        kept = place.rng.sample(place.rows, 3)
        place.sheet.rows[:] = [place.sheet.rows[row] for row in sorted(kept)]
        return place.changed(f"{place.path} holds three symbols")
    paths = [path for path in sorted(place.landing.tonight) if path.startswith(f"{place.feed}/")]
    came = place.rng.sample(paths, 3)
    files = {path: place.landing.before[path] for path in paths if path not in came}
    return Corruption(f"three files of {place.feed} came", files)


# --- Exchange rates -------------------------------------------------------------------------------

RATES = ("rate_CNY", "rate_HKD", "rate_USD")


@kind("meaning", "an exchange rate off by a power of ten", ("ecb_exchange_rates",))
def rate_off_by_ten(place: Place) -> Corruption:
    row, column = place.row(), place.column(*RATES)
    factor = Decimal(place.rng.choice(["10", "0.1", "100"]))
    place.sheet.put(row, column, place.sheet.number(row, column) * factor)
    return place.changed(f"{place.where(row)}: {column} × {factor}")


@kind("meaning", "an exchange rate turned round", ("ecb_exchange_rates",))
def rate_turned_round(place: Place) -> Corruption:
    row, column = place.row(), place.column("rate_CNY", "rate_HKD", "rate_USD")
    place.sheet.put(row, column, round(1 / place.sheet.number(row, column), 4))
    return place.changed(f"{place.where(row)}: {column} is its reciprocal")


@kind("meaning", "the rates of two currencies under each other's name", ("ecb_exchange_rates",))
def rates_swapped(place: Place) -> Corruption:
    names = place.sheet.names
    one, two = (place.sheet.position(column) for column in place.rng.sample(RATES, 2))
    names[one], names[two] = names[two], names[one]
    return place.changed(f"{place.path}: labels {names[one]} and {names[two]} swapped")


@kind(
    "meaning",
    "an exchange rate of another day, within a percent or two",
    ("ecb_exchange_rates",),
    unseeable="rates move so much in a day, and one feed alone states them",
)
def rate_slightly_wrong(place: Place) -> Corruption:
    row, column = place.rows[-1], place.column("rate_CNY", "rate_HKD")
    place.sheet.put(row, column, round(place.sheet.number(row, column) * Decimal("1.012"), 4))
    return place.changed(f"{place.where(row)}: {column} is 1.2 % higher")


# --- What people said -----------------------------------------------------------------------------


@kind("meaning", "a broker's target in another unit or currency", ("broker_target_price",))
def target_price_wrong(place: Place) -> Corruption:
    row = len(place.sheet.rows) - 1
    factor = Decimal(place.rng.choice(["100", "0.01", "0.1"]))
    place.sheet.put(row, "target", place.sheet.number(row, "target") * factor)
    return place.changed(f"{place.path}:{place.sheet.line(row)}: target × {factor}")


@kind("meaning", "a broker's target of a share that does not exist", ("broker_target_price",))
def target_of_unknown_share(place: Place) -> Corruption:
    row = len(place.sheet.rows) - 1
    place.sheet.put(row, "symbol", place.rng.choice(["9989.HK", "7777.HK"]))
    return place.changed(f"{place.path}:{place.sheet.line(row)}: symbol {place.symbol(row)}")


@kind("meaning", "an event on another day than before", ("market_event",))
def event_moved(place: Place) -> Corruption:
    row = len(place.sheet.rows) - 1
    place.sheet.put_date(row, place.rng.choice([date(2025, 9, 15), date(2025, 9, 10)]))
    return place.changed(f"{place.path}:{place.sheet.line(row)}: the event is of another day")


@kind("meaning", "an event that is no longer stated", ("market_event",))
def event_missing(place: Place) -> Corruption:
    row = len(place.sheet.rows) - 1
    del place.sheet.rows[row]
    return place.changed(f"{place.path}:{place.sheet.line(row)} is missing")


@kind("meaning", "an event of a basket that does not exist", ("market_event",))
def event_of_unknown_basket(place: Place) -> Corruption:
    row = len(place.sheet.rows) - 1
    place.sheet.put(row, "basket", "hk_consumers")
    return place.changed(f"{place.path}:{place.sheet.line(row)}: no such basket")
