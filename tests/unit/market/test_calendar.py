"""The trading calendar: what exchange-calendars says, what the seed corrects, what is rejected."""

import csv
import os
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dagster_project.market.calendar import (
    FIRST_SESSION,
    fingerprint,
    sessions,
    today_in_hong_kong,
)
from dagster_project.market.seeds import Market, Override, SeedError, read_markets, read_overrides

# exchange-calendars uses what pandas 3 deprecates.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

ROOT = Path(__file__).parents[3]
SEEDS = ROOT / "seeds"
REAL = Path(os.environ.get("CLOSING_BELL_REAL", ROOT.parent / "shared" / "real"))
MARKETS = read_markets(SEEDS / "market.csv")
OVERRIDES = read_overrides(SEEDS / "session_override.csv", MARKETS)
END = date(2025, 12, 31)

Key = tuple[str, date]


def by_day(
    overrides: list[Override], start: date = FIRST_SESSION, end: date = END
) -> dict[Key, tuple[bool, str]]:
    rows = sessions(MARKETS, overrides, start, end).to_pylist()
    days = {(r["market"], r["trade_date"]): (r["is_half_day"], r["source"]) for r in rows}
    assert len(days) == len(rows), "a market and day stand twice"
    return days


@cache
def calendar() -> dict[Key, tuple[bool, str]]:
    return by_day([])


@cache
def corrected() -> dict[Key, tuple[bool, str]]:
    return by_day(OVERRIDES)


def days_of(market: str, year: int) -> set[date]:
    return {day for name, day in corrected() if name == market and day.year == year}


def of_2025(month_days: str) -> set[date]:
    return {date.fromisoformat(f"2025-{month_day}") for month_day in month_days.split()}


def test_hong_kong_and_the_mainland_differ_in_2025_on_exactly_these_days() -> None:
    hong_kong, mainland = days_of("XHKG", 2025), days_of("XSHG", 2025)
    assert hong_kong - mainland == of_2025("01-28 02-03 02-04 05-02 06-02 10-02 10-03 10-06 10-08")
    assert mainland - hong_kong == of_2025("04-18 04-21 07-01 10-29 12-25 12-26")
    assert days_of("XSHE", 2025) == mainland


def test_half_days_of_hong_kong_are_the_eves() -> None:
    half_days = {
        day
        for (market, day), (is_half_day, _) in corrected().items()
        if is_half_day and market == "XHKG" and day.year in (2024, 2025)
    }
    assert half_days == {
        date(2024, 2, 9),
        date(2024, 12, 24),
        date(2024, 12, 31),
        date(2025, 1, 28),
        date(2025, 12, 24),
        date(2025, 12, 31),
    }


def test_the_mainland_has_no_half_days() -> None:
    assert {market for (market, _), (half, _) in corrected().items() if half} == {"XHKG"}


@pytest.mark.parametrize(
    "day",
    ["2020-10-13", "2021-10-13", "2023-07-17", "2023-09-01", "2023-09-08", "2024-09-06"],
)
def test_hong_kong_was_closed_by_weather(day: str) -> None:
    assert ("XHKG", date.fromisoformat(day)) not in corrected()
    assert ("XSHG", date.fromisoformat(day)) in corrected()


@pytest.mark.parametrize("day", ["2020-08-19", "2021-06-28", "2022-08-25", "2023-10-09"])
def test_weather_shortened_the_session(day: str) -> None:
    is_half_day, source = corrected()["XHKG", date.fromisoformat(day)]
    assert is_half_day
    assert source.startswith("session_override: no morning session: ")


@pytest.mark.parametrize("day", ["2025-09-23", "2025-09-24"])
def test_hong_kong_trades_through_severe_weather_since_2024(day: str) -> None:
    assert corrected()["XHKG", date.fromisoformat(day)][0] is False


@pytest.mark.parametrize("override", OVERRIDES, ids=lambda o: f"{o.market} {o.trade_date}")
def test_each_override_corrects_the_installed_calendar(override: Override) -> None:
    day = override.trade_date
    said = (calendar() if day <= END else by_day([], day, day)).get((override.market, day))
    wanted = override.is_half_day if override.is_session else None
    assert (said[0] if said else None) != wanted, "the calendar knows this now; remove the line"


def test_a_source_names_the_calendar_and_its_version() -> None:
    assert re.fullmatch(
        r"exchange_calendars \d+\.\d+\S*", corrected()["XHKG", date(2025, 9, 17)][1]
    )


def test_markets_start_on_the_day_they_opened() -> None:
    first = {m.market: min(day for name, day in corrected() if name == m.market) for m in MARKETS}
    assert first == {
        "XHKG": date(1990, 1, 2),
        "XSHG": date(1990, 12, 19),
        "XSHE": date(1990, 12, 3),  # 1 December was a Saturday
    }


@settings(max_examples=20, deadline=None)  # each builds calendars
@given(start=st.dates(date(1989, 1, 1), END), length=st.integers(min_value=-3, max_value=40))
def test_any_span_is_that_part_of_the_whole(start: date, length: int) -> None:
    end = min(start + timedelta(days=length), END)
    expected = {
        k: v for k, v in corrected().items() if start <= k[1] <= end and k[1] >= FIRST_SESSION
    }
    got = {k: v for k, v in by_day(OVERRIDES, start, end).items() if k[1] >= FIRST_SESSION}
    assert got == expected


def overrides_of_two_years() -> st.SearchStrategy[list[Override]]:
    override = st.builds(
        lambda market, day, kind: Override(
            market=market.market,
            trade_date=day,
            is_session=kind != "closed",
            is_half_day=kind == "half",
            reason=f"test: {kind}",
        ),
        st.sampled_from(MARKETS),
        st.dates(date(2024, 1, 1), END),
        st.sampled_from(["closed", "open", "half"]),
    )
    return st.lists(override, unique_by=lambda o: (o.market, o.trade_date), max_size=30)


@settings(deadline=None)
@given(overrides_of_two_years())
def test_an_override_wins_and_touches_nothing_else(overrides: list[Override]) -> None:
    start = date(2024, 1, 1)
    expected = {key: value for key, value in calendar().items() if key[1] >= start}
    for override in overrides:
        key = (override.market, override.trade_date)
        expected.pop(key, None)
        if override.is_session:
            expected[key] = (override.is_half_day, f"session_override: {override.reason}")
    assert by_day(overrides, start) == expected
    assert by_day(overrides[::-1], start) == expected


def test_rows_are_sorted_and_typed() -> None:
    table = sessions(MARKETS, OVERRIDES, date(2023, 1, 1), date(2023, 12, 31))
    assert {field.name: str(field.type) for field in table.schema} == {
        "market": "string",
        "trade_date": "date32[day]",
        "is_half_day": "bool",
        "closes_at": "string",
        "source": "string",
        "is_guessed": "bool",
    }
    keys = [(row["market"], row["trade_date"]) for row in table.to_pylist()]
    assert keys == sorted(keys)
    assert sessions([], [], END, END).schema == table.schema


LAST_KNOWN = date(2026, 12, 31)  # by the installed exchange-calendars, for the mainland


def test_after_the_end_of_the_calendar_weekdays_are_sessions() -> None:
    known = sessions(MARKETS, OVERRIDES, date(2026, 12, 28), date(2027, 1, 8)).to_pylist()
    guessed = {(row["market"], row["trade_date"]) for row in known if row["is_guessed"]}
    assert guessed == {
        (market, date(2027, 1, day)) for market in ("XSHG", "XSHE") for day in (4, 5, 6, 7, 8)
    }
    (source,) = {row["source"] for row in known if row["is_guessed"]}
    assert re.fullmatch(r"weekday rule: exchange_calendars \S+ ends on 2026-12-31", source)
    of_hong_kong = [row["trade_date"].day for row in known if row["market"] == "XHKG"]
    assert of_hong_kong == [28, 29, 30, 31, 4, 5, 6, 7, 8]


@pytest.mark.parametrize("start", [LAST_KNOWN, date(2027, 1, 1), date(2150, 1, 2)])
def test_any_span_after_the_end_of_the_calendar_has_sessions(start: date) -> None:
    end = start + timedelta(days=9)
    shanghai = [market for market in MARKETS if market.market == "XSHG"]
    days = {row["trade_date"] for row in sessions(shanghai, [], start, end).to_pylist()}
    assert days == {day for n in range(10) if (day := start + timedelta(days=n)).isoweekday() <= 5}


def test_the_holidays_that_the_law_names_are_closed_in_2027() -> None:
    """The weekdays among them; the State Council's notice adds more once it is out."""
    known = sessions(MARKETS, OVERRIDES, date(2027, 1, 1), date(2027, 12, 31)).to_pylist()
    for market in ("XSHG", "XSHE"):
        days = {row["trade_date"] for row in known if row["market"] == market}
        closed = {
            f"{day:%m-%d}"
            for n in range(365)
            if (day := date(2027, 1, 1) + timedelta(days=n)).isoweekday() <= 5 and day not in days
        }
        assert closed == {"01-01", "02-05", "02-08", "04-05", "06-09", "09-15", "10-01"}


def test_hong_kong_keeps_its_general_holidays_of_2027() -> None:
    """As gazetted; they are the exchange's holidays."""
    known = sessions(MARKETS, OVERRIDES, date(2027, 1, 1), date(2027, 12, 31)).to_pylist()
    days = {row["trade_date"] for row in known if row["market"] == "XHKG"}
    gazetted = "01-01 02-08 02-09 03-26 03-29 04-05 05-13 06-09 07-01 09-16 10-01 10-08 12-27"
    assert {
        f"{day:%m-%d}"
        for n in range(365)
        if (day := date(2027, 1, 1) + timedelta(days=n)).isoweekday() <= 5 and day not in days
    } == set(gazetted.split())


@pytest.mark.parametrize(
    ("market", "day", "closes_at"),
    [
        ("XHKG", "2025-09-17", "16:10"),
        ("XHKG", "2025-12-24", "12:10"),
        ("XHKG", "2027-02-05", "12:10"),
        ("XHKG", "2023-10-09", "16:10"),  # the weather took the morning
        ("XSHG", "2025-09-17", "15:00"),
        ("XSHE", "2027-01-04", "15:00"),
    ],
)
def test_each_session_has_its_closing_time(market: str, day: str, closes_at: str) -> None:
    at = date.fromisoformat(day)
    known = sessions(MARKETS, OVERRIDES, at, at).to_pylist()
    assert [row["closes_at"] for row in known if row["market"] == market] == [closes_at]


def test_an_unknown_calendar_is_an_error() -> None:
    with pytest.raises(SeedError, match="market XSHE names calendar 'XSZE', which"):
        sessions(
            [Market(market="XSHE", calendar="XSZE", opened=date(1990, 12, 1), closes_at="15:00")],
            [],
            FIRST_SESSION,
            END,
        )


def test_the_fingerprint_changes_with_everything_sessions_depend_on() -> None:
    base = fingerprint(MARKETS, OVERRIDES, FIRST_SESSION, END)
    assert base.startswith("exchange_calendars ")
    assert fingerprint(MARKETS[::-1], OVERRIDES[::-1], FIRST_SESSION, END) == base
    others = [
        fingerprint(MARKETS[1:], OVERRIDES, FIRST_SESSION, END),
        fingerprint(MARKETS, OVERRIDES[1:], FIRST_SESSION, END),
        fingerprint(MARKETS, OVERRIDES, FIRST_SESSION, date(2026, 12, 31)),
        fingerprint(MARKETS, OVERRIDES, date(2000, 1, 1), END),
        fingerprint(
            MARKETS,
            [
                Override(
                    market="XHKG",
                    trade_date=date(2023, 9, 1),
                    is_session=True,
                    is_half_day=False,
                    reason="another",
                ),
                *OVERRIDES[1:],
            ],
            FIRST_SESSION,
            END,
        ),
    ]
    assert len({base, *others}) == 6


def test_a_fingerprint_does_not_load_the_calendar_package() -> None:
    code = (
        "import sys, datetime as d; from dagster_project.market.calendar import fingerprint;"
        "fingerprint([], [], d.date(1990, 1, 1), d.date(2025, 1, 1));"
        "assert 'exchange_calendars' not in sys.modules and 'pandas' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


def test_today_in_hong_kong_is_eight_hours_ahead_of_utc(monkeypatch: pytest.MonkeyPatch) -> None:
    class Clock(datetime):
        @classmethod
        def now(cls, tz: object = None) -> datetime:  # type: ignore[override]
            utc = datetime.fromisoformat("2025-09-16T16:30:00+00:00")
            return utc.astimezone(tz)  # type: ignore[arg-type]

    monkeypatch.setattr("dagster_project.market.calendar.datetime", Clock)
    assert today_in_hong_kong() == date(2025, 9, 17)


# Seeds with a mistake: the message names file and line, and what to do.

MARKET_HEADER = "market,calendar,opened,closes_at,half_day_closes_at"
OVERRIDE_HEADER = "market,trade_date,is_session,is_half_day,reason"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"{OVERRIDE_HEADER}\nXNYS,2025-01-01,true,false,x", r":2: market 'XNYS' is not in market"),
        (f"{OVERRIDE_HEADER}\nXHKG,2025-1-32,true,false,x", r":2: trade_date is '2025-1-32', not"),
        (f"{OVERRIDE_HEADER}\nXHKG,2025-01-02,yes,false,x", r":2: is_session is 'yes', neither"),
        (
            f"{OVERRIDE_HEADER}\nXHKG,2025-01-02,false,true,x",
            r":2: 2025-01-02 cannot be a half-day",
        ),
        (f"{OVERRIDE_HEADER}\nXHKG,2025-01-02,true,false,", r":2: reason is empty"),
        (f"{OVERRIDE_HEADER}\nXHKG,2025-01-02,true,false", r":2: the line does not have 5 values"),
        (f"{OVERRIDE_HEADER}\nXHKG,2025-01-02,true,false,a,b", r":2: the line does not have 5"),
        (
            f"{OVERRIDE_HEADER}\nXHKG,2025-01-02,true,false,x\n\nXHKG,2025-01-02,true,true,y",
            r":4: XHKG 2025-01-02 is already listed at .*:2; keep one line",
        ),
        ("market,trade_date,is_session,reason\n", r":1: column is_half_day is missing; the header"),
        ("", r":1: column market, trade_date.* is missing; the header is empty"),
        (f'{OVERRIDE_HEADER}\nXHKG,"2025"-01-02,true,false,x', r":2: not a UTF-8 CSV line"),
    ],
)
def test_a_wrong_override_names_file_and_line(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "session_override.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SeedError, match=re.escape(str(path)) + message):
        read_overrides(path, MARKETS)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"{MARKET_HEADER}\nXHKG,XHKG,1986,16:10,", r":2: opened is '1986', not a date YYYY-MM-DD"),
        (
            f"{MARKET_HEADER}\nXHKG,XHKG,1986-04-02,4pm,",
            r":2: closes_at is '4pm', not a time HH:MM",
        ),
        (f"{MARKET_HEADER}\nXHKG,,1986-04-02,16:10,", r":2: calendar is empty"),
        (
            f"{MARKET_HEADER}\nXHKG,XHKG,1986-04-02,16:10,\nXHKG,XHKG,1986-04-02,16:10,",
            r":3: market XHKG is listed twice",
        ),
    ],
)
def test_a_wrong_market_names_file_and_line(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "market.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SeedError, match=re.escape(str(path)) + message):
        read_markets(path)


def test_a_seed_that_is_not_utf_8_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "session_override.csv"
    path.write_bytes(
        f"{OVERRIDE_HEADER}\nXHKG,2025-01-02,true,false,".encode() + "台风".encode("gbk")
    )
    with pytest.raises(SeedError, match=re.escape(str(path)) + ".*UTF-8"):
        read_overrides(path, MARKETS)


def test_a_byte_order_mark_is_no_part_of_the_header(tmp_path: Path) -> None:
    path = tmp_path / "market.csv"
    path.write_bytes(
        b"\xef\xbb\xbf" + f"{MARKET_HEADER}\nXHKG,XHKG,1986-04-02,16:10,12:10\n".encode()
    )
    (market,) = read_markets(path)
    assert (market.opened, market.half_day_closes_at) == (date(1986, 4, 2), "12:10")


def wsj_dates(path: Path) -> set[date]:
    with path.open(encoding="utf-8", newline="") as file:
        lines = list(csv.reader(file))[1:]
    return {datetime.strptime(line[0], "%m/%d/%y").date() for line in lines if line}


def iso_dates(path: Path) -> set[date]:
    with path.open(encoding="utf-8", newline="") as file:
        return {date.fromisoformat(row["date"]) for row in csv.DictReader(file)}


@pytest.mark.parametrize(
    ("market", "file", "dates", "since", "phantoms"),
    [
        ("XHKG", "index_wsj/HSI.csv", wsj_dates, date(1998, 1, 1), {date(2023, 7, 17)}),
        ("XSHG", "index_baostock/sh000001.csv", iso_dates, date(1990, 12, 19), set()),
        ("XSHE", "index_baostock/sz399001.csv", iso_dates, date(1994, 1, 1), set()),
    ],
)
def test_sessions_are_the_days_a_real_index_file_has(
    market: str,
    file: str,
    dates: Callable[[Path], set[date]],
    since: date,
    phantoms: set[date],
) -> None:
    path = REAL / file
    if not path.exists():
        pytest.skip(f"no real vendor file {path}; set CLOSING_BELL_REAL to their folder")
    in_file = {day for day in dates(path) if day >= since}
    known = {day for name, day in corrected() if name == market and since <= day <= max(in_file)}
    assert in_file - known == phantoms
    assert known - in_file == set()
