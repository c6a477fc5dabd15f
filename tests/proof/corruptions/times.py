"""Corruptions of dates, calendars and freshness: paragraph *Time* of the catalogue."""

from datetime import date, datetime, timedelta
from decimal import Decimal

from tests.proof.corruptions.kind import (
    A_SHARE_FEEDS,
    DATED_FEEDS,
    NIGHT,
    PRICE_FEEDS,
    Corruption,
    Place,
    kind,
)

HONG_KONG_FEEDS = ("wsj_index", "yahoo_index", "yahoo_hk", "hkex_turnover")
MAINLAND_FEEDS = ("baostock_index", "csindex", "eastmoney_a_share")
HISTORY_FEEDS = tuple(feed for feed in DATED_FEEDS if feed != "tushare_daily")
SESSION_FEEDS = tuple(feed for feed in HISTORY_FEEDS if feed != "ecb_exchange_rates")
MARKETS = {"hong_kong": ("XHKG",), "mainland": ("XSHG", "XSHE")}
MIDDAY = datetime(2025, 9, 17, 12, 5)


def _insert(place: Place, row: int, day: date) -> None:
    """A copy of a row with another date, in its place in the order of the file."""
    sheet = place.sheet
    is_newest_first = sheet.date(0) > sheet.date(len(sheet.rows) - 1)
    cells = list(sheet.rows[row])
    at = next(
        (
            r
            for r in range(len(sheet.rows))
            if (sheet.date(r) < day) == is_newest_first and sheet.date(r) != day
        ),
        len(sheet.rows),
    )
    sheet.rows.insert(at, cells)
    sheet.put_date(at, day)


def _on_day(place: Place, days: list[date]) -> Corruption:
    began = place.sheet.date(place.rows[0])
    day = place.rng.choice([day for day in days if day > began])
    source = max((r for r in place.rows if place.sheet.date(r) < day), key=place.sheet.date)
    _insert(place, source, day)
    return place.changed(f"{place.path} has a row of {day}")


WEEKENDS = [date(2025, 9, 13), date(2025, 9, 14), date(2025, 8, 30), date(2025, 6, 8)]


@kind("time", "a row of a day on which no market traded", SESSION_FEEDS)
def row_on_holiday(place: Place) -> Corruption:
    return _on_day(place, [*WEEKENDS, date(2025, 5, 1), date(2025, 5, 5)])


@kind("time", "Hong Kong's date on a mainland file", MAINLAND_FEEDS)
def hong_kong_date_on_mainland_file(place: Place) -> Corruption:
    return _on_day(place, [date(2025, 5, 2), date(2025, 6, 2)])


@kind("time", "a mainland date on a Hong Kong file", HONG_KONG_FEEDS)
def mainland_date_on_hong_kong_file(place: Place) -> Corruption:
    return _on_day(place, [date(2025, 4, 18), date(2025, 4, 21), date(2025, 7, 1)])


def _session(place: Place, market: str) -> date:
    """Tonight or an earlier session of all markets."""
    days = [date(2025, 9, 15), date(2025, 9, 8), date(2025, 8, 1), date(2025, 6, 12)]
    return place.rng.choice([NIGHT, NIGHT, *days])


@kind("time", "a calendar that lacks a session", ("wsj_index",))
def calendar_lacks_session(place: Place) -> Corruption:
    markets = place.rng.choice(sorted(MARKETS.values()))
    day = _session(place, markets[0])
    lines = tuple(f"{market},{day},false,false,a mistake" for market in markets)
    return Corruption(f"the calendar has no session {', '.join(markets)} {day}", overrides=lines)


@kind("time", "a calendar that has a session too many", ("wsj_index",))
def calendar_has_extra_session(place: Place) -> Corruption:
    name = place.rng.choice(sorted(MARKETS))
    closed = {"hong_kong": [date(2025, 7, 1), date(2025, 4, 21)],
              "mainland": [date(2025, 5, 2), date(2025, 6, 2)]}  # fmt: skip
    day = place.rng.choice([*closed[name], *WEEKENDS])
    lines = tuple(f"{market},{day},true,false,a mistake" for market in MARKETS[name])
    return Corruption(f"the calendar has a session {name} {day}", overrides=lines)


@kind("time", "a calendar that calls a whole day a half-day", ("wsj_index",))
def calendar_has_wrong_half_day(place: Place) -> Corruption:
    day = _session(place, "XHKG")
    lines = (f"XHKG,{day},true,true,a mistake",)
    return Corruption(f"the calendar calls XHKG {day} a half-day", overrides=lines)


@kind("time", "a whole day marked as a half-day", ("hkex_turnover",))
def half_day_mark_wrong(place: Place) -> Corruption:
    row = place.row()
    place.sheet.rows[row][1] = "*"
    return place.changed(f"{place.where(row)} is marked as a half-day")


@kind("time", "an earlier session missing in a history", HISTORY_FEEDS)
def session_missing(place: Place) -> Corruption:
    row = place.rng.choice(place.rows[:-1])
    where = place.where(row)
    del place.sheet.rows[row]
    return place.changed(f"{where} is missing")


@kind("time", "tonight's row missing in a history", SESSION_FEEDS)
def last_session_missing(place: Place) -> Corruption:
    where = place.where(place.rows[-1])
    del place.sheet.rows[place.rows[-1]]
    return place.changed(f"{where} is missing")


@kind("time", "a symbol missing in a day's file", ("tushare_daily",))
def symbol_missing(place: Place) -> Corruption:
    count = place.rng.choice([1, 1, 5, 20])
    rows = place.rng.sample(place.rows, count)
    what = f"{count} symbols are missing in {place.path}"
    for row in sorted(rows, reverse=True):
        del place.sheet.rows[row]
    return place.changed(what)


@kind(
    "time", "a file that did not come", tuple(f for f in DATED_FEEDS if f != "ecb_exchange_rates")
)
def file_missing(place: Place) -> Corruption:
    return Corruption(
        f"{place.path} did not come", {place.path: place.landing.before.get(place.path)}
    )


@kind("time", "a file that was there and is gone", HISTORY_FEEDS)
def file_removed(place: Place) -> Corruption:
    return Corruption(f"{place.path} is gone", {place.path: None})


@kind("time", "tonight's row dated a day early or late", SESSION_FEEDS)
def date_off_by_one(place: Place) -> Corruption:
    row = place.rows[-1]
    day = NIGHT + timedelta(days=place.rng.choice([-1, 1]))
    if day < NIGHT:  # the session before is overwritten
        del place.sheet.rows[place.rows[-2]]
        row = max(range(len(place.sheet.rows)), key=place.sheet.date)
    place.sheet.put_date(row, day)
    return place.changed(f"tonight's row of {place.path} is dated {day}")


@kind("time", "every row dated a session early", SESSION_FEEDS)
def all_dates_off_by_one(place: Place) -> Corruption:
    ordered = sorted(range(len(place.sheet.rows)), key=place.sheet.date)
    days = [place.sheet.date(row) for row in ordered]
    for row, day in zip(ordered[1:], days, strict=False):
        place.sheet.put_date(row, day)
    del place.sheet.rows[ordered[0]]
    return place.changed(f"every row of {place.path} is dated a session early")


@kind("time", "a day's file with rows of the day before or after", ("tushare_daily",))
def day_file_off_by_one(place: Place) -> Corruption:
    day = place.rng.choice(["20250916", "20250918"])
    for row in range(len(place.sheet.rows)):
        place.sheet.put(row, "trade_date", day)
    return place.changed(f"every row of {place.path} is dated {day}")


@kind("time", "a date in the future", DATED_FEEDS)
def future_date(place: Place) -> Corruption:
    row = place.tonight()
    where, day = place.where(row), NIGHT.replace(year=2025 + place.rng.choice([10, 20]))
    if place.spec.columns["trade_date"].format == "%m/%d/%y":
        day = NIGHT.replace(year=2045)
    place.sheet.put_date(row, day)
    return place.changed(f"{where} is dated {day}")


@kind("time", "day and month swapped", ("wsj_index", "yahoo_hk", "eastmoney_a_share"))
def day_and_month_swapped(place: Place) -> Corruption:
    row = place.rng.choice([r for r in place.rows if place.sheet.date(r).day <= 12])
    where, day = place.where(row), place.sheet.date(row)
    place.sheet.put_date(row, day.replace(month=day.day, day=day.month))
    return place.changed(f"{where}: day and month are swapped")


def _at_midday(place: Place) -> None:
    """Tonight's figures as they might have stood at noon."""
    for row in place.rows if place.is_day else [place.rows[-1]]:
        sheet = place.sheet
        for column in ("volume", "turnover", "deals"):
            if sheet.has(column):
                part = sheet.number(row, column) * Decimal("0.55")
                places = max(0, -int(sheet.number(row, column).as_tuple().exponent))
                sheet.put(row, column, round(part, places))
        if sheet.has("open", "close"):
            opened, close = sheet.number(row, "open"), sheet.number(row, "close")
            places = max(0, -int(close.as_tuple().exponent))
            noon = round((opened + close) / 2, places)
            _move_close(place, row, noon)


def _move_close(place: Place, row: int, close: Decimal) -> None:
    """Another close, with the change that follows from it."""
    sheet = place.sheet
    before = sheet.number(row, "close")
    if sheet.has("previous_close"):
        previous = sheet.number(row, "previous_close")
    elif sheet.has("change"):
        previous = before - sheet.number(row, "change")
    elif sheet.has("change_pct"):
        previous = before / (1 + sheet.number(row, "change_pct") / 100)
    else:
        previous = None
    sheet.put(row, "close", close)
    if previous is not None:
        for column, value in (
            ("change", close - previous),
            ("change_pct", (close / previous - 1) * 100),
        ):
            if sheet.has(column):
                places = max(0, -int(sheet.number(row, column).as_tuple().exponent))
                sheet.put(row, column, round(value, places))


@kind(
    "time",
    "a snapshot of midday taken for the close",
    tuple(f for f in DATED_FEEDS if f != "ecb_exchange_rates"),
)
def midday_snapshot(place: Place) -> Corruption:
    _at_midday(place)
    return place.changed(f"{place.path} was taken at 12:05", delivered_at=MIDDAY)


def _copied_late(place: Place) -> Corruption:
    _at_midday(place)
    return place.changed(f"{place.path} was taken at midday and copied in the evening")


@kind(
    "time",
    "a snapshot of midday copied after the close, where another feed has the close",
    A_SHARE_FEEDS,
)
def midday_snapshot_copied_late(place: Place) -> Corruption:
    return _copied_late(place)


@kind(
    "time",
    "a snapshot of midday copied after the close, of one of the two mainland markets",
    ("baostock_index",),
    path="*01.csv",
)
def midday_snapshot_of_market_copied_late(place: Place) -> Corruption:
    return _copied_late(place)


@kind(
    "time",
    "a snapshot of midday copied after the close, of what one feed alone states",
    ("wsj_index", "yahoo_index", "sina_index", "csindex", "yahoo_hk"),
    unseeable="it lies in the day's range, no other feed states it, the file's time is the copy's",
)
def midday_snapshot_alone(place: Place) -> Corruption:
    return _copied_late(place)


def _repeat(place: Place, row: int, source: int) -> None:
    day = place.sheet.date(row)
    place.sheet.rows[row] = list(place.sheet.rows[source])
    place.sheet.put_date(row, day)


@kind(
    "time",
    "a series that repeats the session before under tonight's date",
    (*SESSION_FEEDS, "ecb_exchange_rates"),
)
def series_stale(place: Place) -> Corruption:
    _repeat(place, place.rows[-1], place.rows[-2])
    return place.changed(f"{place.path}: tonight's row repeats the one before")


@kind("time", "one symbol's row of the session before in tonight's day file", ("tushare_daily",))
def symbol_stale(place: Place) -> Corruption:
    row = place.tonight()
    before = place.landing.sheet("tushare_daily/20250916.csv")
    symbol = place.symbol(row)
    source = next(r for r in range(len(before.rows)) if before.text(r, "symbol") == symbol)
    place.sheet.rows[row] = list(before.rows[source])
    place.sheet.put_date(row, NIGHT)
    return place.changed(f"{place.where(row)} repeats the session before")


@kind(
    "time",
    "a whole market repeated from the session before",
    ("tushare_daily", "yahoo_hk", "eastmoney_a_share"),
)
def market_stale(place: Place) -> Corruption:
    if place.is_day:
        before = place.landing.before["tushare_daily/20250916.csv"]
        return place.replaced(
            f"{place.path} repeats the session before", before.replace(b"20250916", b"20250917")
        )
    files: dict[str, bytes | None] = {}
    for path in sorted(place.landing.tonight):
        if path.startswith(f"{place.feed}/"):
            other = Place(place.landing, [path], place.rng)
            _repeat(other, other.rows[-1], other.rows[-2])
            files[path] = other.sheet.render()
    return Corruption(f"tonight's rows of {place.feed} repeat the session before", files)


@kind("time", "every date without its century, or as a number of days", PRICE_FEEDS)
def date_format_changed(place: Place) -> Corruption:
    spelling = place.rng.choice(["%d.%m.%Y", "%y%m%d", "%Y年%m月%d日"])
    for row in range(len(place.sheet.rows)):
        place.sheet.put(row, "trade_date", place.sheet.date(row).strftime(spelling))
    return place.changed(f"{place.path}: dates are written {spelling}")
