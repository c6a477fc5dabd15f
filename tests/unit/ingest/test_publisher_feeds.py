"""The feeds of the exchanges' own files: genuine excerpts, and files written in each format.

Belongs here: that each figure is read to its last digit, that what cannot be a file of the night is
refused, and that no damage loses a line. Does not belong here: what the models make of the rows.
"""

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seeds.sample import publishers
from seeds.sample.publishers import Channel, IndexLine, Quote
from tests.support import real_files
from tests.unit.ingest.support import HONG_KONG, Reading, read

NIGHT = date(2025, 9, 17)
HSI = IndexLine("HANG SENG INDEX", "26752.1", "26908.39", "26438.51", "+469.88", "+1.78")
SOLD = ("volume", "turnover", "volume_of_security", "turnover_of_security")
DRAWN = settings(max_examples=20, deadline=None)
QUOTATIONS, CONNECT = "d250917e.htm", "data_tab_daily_20250917e.js"


def quote(code: str = "700", **changes: Any) -> Quote:
    figures = {
        "name": "TENCENT", "previous": "645.00", "open": None, "high": "662.50", "low": "648.00",
        "close": "661.50", "volume": 20_289_781, "turnover": 13_300_000_000,
    }  # fmt: skip
    return Quote(code, **(figures | changes))


def quotations(*quotes: Quote, board: str = "main", **more: Any) -> bytes:
    return publishers.daily_quotations(NIGHT, board, quotes or [quote()], [HSI], (9, 8, 7), **more)


def figures(reading: Reading, *columns: str) -> list[tuple[Any, ...]]:
    assert reading.report.reason is None
    return [tuple(row[column] for column in columns) for row in reading.good]


# --- Genuine excerpts -----------------------------------------------------------------------------


def excerpt(feed: str, path: str, name: str, day: date) -> Reading:
    content = (real_files() / "exchange" / path).read_bytes()
    evening = datetime(day.year, day.month, day.day, 20, tzinfo=HONG_KONG)
    return read(feed, name, content, today=day, delivered=evening)


def test_a_genuine_night_of_hong_kong() -> None:
    reading = excerpt(
        "hkex_daily_quotations", "hkex_daily_quotations/d260901e.trimmed_genuine.htm",
        "d260901e.htm", date(2026, 9, 1),
    )  # fmt: skip
    rows = {row["symbol"]: row for row in reading.good}
    assert not reading.rejected
    # The bond that was never dealt has no figure, and is passed over.
    assert len(rows) == 13
    tencent = rows["0700.HK"]
    assert (tencent["previous_close"], tencent["high"], tencent["low"], tencent["close"]) == (
        Decimal("453.00"), Decimal("447.60"), Decimal("440.60"), Decimal("441.40"),
    )  # fmt: skip
    assert (tencent["volume"], tencent["turnover"]) == (20_289_781, 8_990_301_596)
    assert rows["0003.HK"]["name"] == "HK & CHINA GAS"
    assert rows["0003.HK"]["close"] == Decimal("7.08")
    # A page breaks between its two lines.
    assert (rows["0127.HK"]["close"], rows["0127.HK"]["turnover"]) == (Decimal("1.08"), 65_810)
    assert (rows["89988.HK"]["currency"], rows["89988.HK"]["close"]) == ("CNY", Decimal("94.70"))
    assert {s: row["status"] for s, row in rows.items() if row["status"] != "traded"} == {
        "0007.HK": "suspended", "0046.HK": "no_trade", "0106.HK": "suspended",
        "80737.HK": "no_trade",
    }  # fmt: skip
    assert (rows["0046.HK"]["close"], rows["0046.HK"]["volume"]) == (Decimal("1.30"), None)
    assert rows["0007.HK"]["close"] is None


def test_markers_beside_a_code() -> None:
    reading = excerpt(
        "hkex_daily_quotations", "hkex_daily_quotations/d261002e.representative_rows.htm",
        "d261002e.htm", date(2026, 10, 2),
    )  # fmt: skip
    rows = {row["symbol"]: (row["close"], row["status"]) for row in reading.good}
    assert rows == {
        "0005.HK": (Decimal("149.50"), "traded"), "0033.HK": (None, "suspended"),
        "0092.HK": (None, "suspended"), "2099.HK": (Decimal("217.00"), "traded"),
        "2100.HK": (Decimal("0.265"), "no_trade"), "2101.HK": (Decimal("0.915"), "traded"),
    }  # fmt: skip


def test_genuine_short_selling_of_gem() -> None:
    quoted = (real_files() / "exchange" / "hkex_short_selling" / "quoted_pages.txt").read_text()
    heading, section = quoted.split("e_G250409.htm")[1].split("SHORT SELLING TURNOVER", 1)
    section = section.split("PREVIOUS DAY'S")[0]
    # As quoted it has no links, by which a section is found.
    content = (
        f"{heading.split(chr(10), 1)[1]}GROWTH ENTERPRISE MARKET\n"
        f'<a name = "short_selling">SHORT SELLING TURNOVER{section}<a name = "adj_short">'
    )
    day = date(2025, 4, 9)
    evening = datetime(2025, 4, 9, 20, tzinfo=HONG_KONG)
    reading = read(
        "hkex_short_selling", "e_G250409.htm", content.encode(), today=day, delivered=evening
    )
    assert not reading.rejected
    assert figures(reading, "trade_date", "symbol", "currency", *SOLD) == [
        (day, "8083.HK", "HKD", 12_444_000, 1_035_288, 114_578_118, 9_512_252),
        (day, "8137.HK", "HKD", 70_000, 40_400, 944_000, 543_960),
    ]


def test_genuine_days_of_stock_connect() -> None:
    path = "hkex_stock_connect/data_tab_daily_20260821.quoted_in_test.js"
    name = "data_tab_daily_20260821e.js"
    reading = excerpt("hkex_stock_connect", path, name, date(2026, 8, 21))
    assert figures(reading, "channel", "direction", "currency", "turnover", "buy", "sell") == [
        ("shanghai", "northbound", "CNY", Decimal("125846520000"), None, None),
        ("shanghai", "southbound", "HKD", Decimal("64769850000"), Decimal("29818190000"),
         Decimal("34951660000")),
        ("shenzhen", "northbound", "CNY", Decimal("142241020000"), None, None),
        ("shenzhen", "southbound", "HKD", Decimal("35642810000"), Decimal("16573320000"),
         Decimal("19069490000")),
    ]  # fmt: skip
    # "The last Buy Turnover" is that of a share, in single units.
    path = "hkex_stock_connect/data_tab_daily_20260917.quoted_in_test.js"
    reading = excerpt("hkex_stock_connect", path, "data_tab_daily_20260917e.js", date(2026, 9, 17))
    assert figures(reading, "channel", "direction", "buy", "is_open") == [
        ("shanghai", "southbound", Decimal("26387650000"), True),
        ("shenzhen", "southbound", Decimal("14298990000"), True),
    ]


@pytest.mark.parametrize(
    ("feed", "path", "day", "rows"),
    [
        ("sse_overview", "sse/overview_20260724.quoted_in_test.jsonp", date(2026, 7, 24),
         {"main_a": "626715000000", "all": "916302000000"}),
        ("sse_overview", "sse/overview_20260917.quoted_in_test.json", date(2026, 9, 17),
         {"main_a": "608474000000", "main_b": "62000000", "star": "261295000000",
          "all": "869832000000"}),
        ("szse_overview", "szse/1803_sczm_20260917.quoted_in_test.json", date(2026, 9, 17),
         {"all": "955241000000", "main_a": "508156000000", "main_b": "39000000",
          "chinext": "447045000000"}),
    ],
)  # fmt: skip
def test_genuine_totals_of_the_mainland(
    feed: str, path: str, day: date, rows: dict[str, str]
) -> None:
    reading = excerpt(feed, path, f"{day:%Y%m%d}.json", day)
    found = dict(figures(reading, "segment", "turnover"))
    assert found == {segment: Decimal(turnover) for segment, turnover in rows.items()}


# --- What a writer writes is what is read ---------------------------------------------------------


def prices(decimals: int = 2) -> st.SearchStrategy[str]:
    return st.decimals("0.01", "9999", places=decimals).map(lambda price: f"{price:,}")


@st.composite
def dealt(draw: st.DrawFn, codes: st.SearchStrategy[str], currency: str = "HKD") -> Quote:
    low, close, high = sorted(draw(st.integers(100, 99_999_00)) for _ in range(3))
    volume = draw(st.integers(1, 10**9))
    status = draw(st.sampled_from(["traded", "traded", "no_trade", "suspended"]))
    names = st.text("ABCDEFGHIJ &<-.", max_size=14).map(lambda rest: " ".join(("A" + rest).split()))
    previous = draw(st.none() | prices())
    if previous and currency != "HKD":
        previous = previous.replace(",", "")
    written = {name: f"{cents / 100:.2f}" for name, cents in zip(
        ("low", "close", "high"), (low, close, high), strict=True)}  # fmt: skip
    is_traded = status == "traded"
    return Quote(
        draw(codes), draw(names), previous, written["close"] if is_traded else None,
        written["high"] if is_traded else None, written["low"] if is_traded else None,
        written["close"], volume if is_traded else 0, volume * close // 100 if is_traded else 0,
        currency, status,
    )  # fmt: skip


def distinct(quotes: st.SearchStrategy[Quote]) -> st.SearchStrategy[list[Quote]]:
    return st.lists(quotes, min_size=1, max_size=70, unique_by=lambda q: q.code)


def number(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text.replace(",", ""))


@DRAWN
@given(distinct(dealt(st.integers(1, 3999).map(str))), st.booleans())
def test_quotations_are_read_as_they_are_written(quotes: list[Quote], has_currency: bool) -> None:
    reading = read(
        "hkex_daily_quotations", QUOTATIONS, quotations(*quotes, has_currency=has_currency)
    )
    assert not reading.rejected
    columns = ("symbol", "name", "previous_close", "high", "low", "close", "volume", "status")
    assert figures(reading, *columns) == [
        (
            f"{q.code:0>4}.HK", q.name, None if q.status == "suspended" else number(q.previous),
            number(q.high), number(q.low), None if q.status == "suspended" else number(q.close),
            q.volume or None, q.status,
        )
        for q in quotes
    ]  # fmt: skip


@DRAWN
@given(distinct(dealt(st.integers(1, 3999).map(str))))
def test_the_turnover_of_the_day_has_its_control_total(quotes: list[Quote]) -> None:
    reading = read("hkex_day_turnover", QUOTATIONS, quotations(*quotes))
    total = sum(q.turnover for q in quotes)
    columns = ("turnover", "volume", "deals", "turnover_of_securities", "is_half_day")
    assert figures(reading, *columns) == [(9, 8, 7, total, False)]


@DRAWN
@given(
    distinct(
        dealt(st.integers(1, 3999).map(str))
        | dealt(st.integers(80_000, 89_999).map(str), "CNY")
        | dealt(st.integers(9000, 9199).map(str), "USD")
    ),
    st.randoms(use_true_random=False),
)
def test_short_selling_is_read_as_it_is_written(quotes: list[Quote], rng: Random) -> None:
    sold = [
        (q, rng.randint(1, q.volume), rng.randint(0, q.turnover))
        for q in quotes
        if q.status == "traded"
    ]
    reading = read("hkex_short_selling", QUOTATIONS, quotations(*quotes, short=sold))
    assert not reading.rejected
    assert figures(reading, "symbol", "currency", *SOLD) == [
        (f"{q.code:0>4}.HK", q.currency, shares, value, q.volume, q.turnover)
        for q, shares, value in sold
    ]


@DRAWN
@given(distinct(dealt(st.integers(600_000, 604_999).map(str), "CNY")))
def test_a_snapshot_of_shanghai_is_read_as_it_is_written(quotes: list[Quote]) -> None:
    reading = read(
        "sse_closing_snapshot", "20250917.json", publishers.sse_closing_snapshot(NIGHT, quotes)
    )
    columns = ("symbol", "name", "open", "high", "low", "close", "volume", "status")
    assert figures(reading, *columns) == [
        (
            f"{q.code}.SH", q.name, number(q.open), number(q.high), number(q.low), number(q.close),
            q.volume, "traded" if q.status == "traded" else "suspended",
        )
        for q in quotes
    ]  # fmt: skip


@DRAWN
@given(distinct(dealt(st.integers(1, 4999).map("{:06}".format), "CNY")))
def test_a_snapshot_of_shenzhen_is_read_as_it_is_written(quotes: list[Quote]) -> None:
    content = publishers.szse_closing_snapshot(NIGHT, quotes)
    reading = read("szse_closing_snapshot", "20250917.xlsx", content)
    # The workbook rounds to a hundredth of ten thousand, which takes a small volume's price away.
    read_or_rejected = {row["symbol"]: row for row in reading.rows}
    assert len(read_or_rejected) == len(quotes)
    for q in quotes:
        row = read_or_rejected[f"{q.code}.SZ"]
        assert (row["name"], row["close"], row["high"]) == (q.name, number(q.close), number(q.high))
        assert abs(row["volume"] - q.volume) <= 50
        assert abs(row["turnover"] - q.turnover) <= 50


AMOUNTS = st.decimals("0.01", "999999", places=2).map(lambda amount: f"{amount:,}")


@DRAWN
@given(st.lists(st.tuples(AMOUNTS, AMOUNTS, AMOUNTS), min_size=4, max_size=4), st.booleans())
def test_stock_connect_is_read_as_it_is_written(
    amounts: list[tuple[str, str, str]], is_open: bool
) -> None:
    markets = [f"{e} {d}bound" for e in ("SSE", "SZSE") for d in ("North", "South")]
    labels = ("Total Turnover", "Buy Turnover", "Sell Turnover")
    blocks = [
        Channel(market, is_open or "SSE" in market, dict(zip(labels, row, strict=True)),
                [("700", "TENCENT", "1,000,000,000")])
        for market, row in zip(markets, amounts, strict=True)
    ]  # fmt: skip
    reading = read("hkex_stock_connect", CONNECT, publishers.stock_connect(NIGHT, blocks))
    assert figures(reading, "is_open", "turnover", "buy", "sell") == [
        (True, *(number(amount) * 10**6 for amount in row))  # type: ignore[operator]
        if block.is_open
        else (False, None, None, None)
        for block, row in zip(blocks, amounts, strict=True)
    ]


@DRAWN
@given(AMOUNTS, AMOUNTS, st.sampled_from(["", "jsonpCallback1234"]))
def test_shanghais_overview_is_read_as_it_is_written(total: str, part: str, callback: str) -> None:
    boards = {"17": (total, "508.58"), "11": ("-", "-"), "05": ("1", "1"), "03": (part, "44.1")}
    content = publishers.sse_overview(NIGHT, boards, callback)
    reading = read("sse_overview", "20250917.json", content)
    wanted = {"all": number(total), "star": number(part)}
    assert dict(figures(reading, "segment", "turnover")) == {
        segment: amount * 10**8 for segment, amount in wanted.items() if amount
    }


@DRAWN
@given(AMOUNTS, AMOUNTS)
def test_both_forms_of_shenzhens_overview_say_the_same(total: str, part: str) -> None:
    boards = {"股票": total, "主板A股": part, "基金": "7", "债券": "8"}
    reading = read("szse_overview", "20250917.json", publishers.szse_overview_json(NIGHT, boards))
    in_yuan = {name: f"{number(amount) * 10**8:,}" for name, amount in boards.items()}  # type: ignore[operator]
    workbook = publishers.szse_overview_workbook(in_yuan)
    other = read("szse_overview", "20250917.xlsx", workbook)
    found = figures(reading, "trade_date", "segment", "turnover")
    assert found == figures(other, "trade_date", "segment", "turnover")
    assert dict(row[1:] for row in found) == {
        "all": number(total) * 10**8, "main_a": number(part) * 10**8,  # type: ignore[operator]
    }  # fmt: skip


def test_a_bulletin_of_hang_seng_indexes() -> None:
    rows = [
        ("Hang Seng Index", "26,908.39", "26,924.93", "26,490.02", "469.88", "1.78"),
        (
            "Hang Seng Composite Industry Index - Energy",
            "13,021.50",
            "13,050",
            "12,990",
            "1.5",
            "0.01",
        ),
        ("Hang Seng Index (Gross Total Return)", "90,000.1", "90,001", "89,000", "1.78", "1.78"),
        ("Hang Seng Something New", "1", "1", "1", "0", "0"),
    ]
    reading = read("hsi_daily_bulletin", "hsi.csv", publishers.hsi_bulletin(NIGHT, rows))
    assert figures(reading, "symbol", "close", "change") == [
        ("HSI", Decimal("26908.39"), Decimal("469.88")),
        ("HSCI-ENERGY", Decimal("13021.5"), Decimal("1.5")),
    ]
    # An index that is not known is said; other versions of a known one are passed over.
    assert {line: code for line, (code, _) in reading.rejected.items()} == {6: "unknown_symbol"}


# --- Days that are not ordinary -------------------------------------------------------------------


def test_the_close_of_a_half_day_is_that_of_the_morning() -> None:
    half = IndexLine("HANG SENG INDEX", "26752.10", None, "26438.51", "+313.59", "+1.19")
    content = publishers.daily_quotations(NIGHT, "main", [quote()], [half], (9, 8, 7))
    assert figures(read("hkex_quoted_index", QUOTATIONS, content), "symbol", "close") == [
        ("HSI", Decimal("26752.1"))
    ]
    reading = read("hkex_day_turnover", QUOTATIONS, content)
    assert figures(reading, "is_half_day", "segment") == [(True, "main")]


def test_both_boards_are_segments_of_one_total() -> None:
    reading = read("hkex_day_turnover", "e_G250917.htm", quotations(board="gem"))
    assert figures(reading, "segment", "turnover") == [("gem", 9)]


def test_warrants_and_bonds_are_passed_over_but_counted_in_the_control_total() -> None:
    content = quotations(quote(), quote("13579", turnover=10, volume=1), quote("5555", turnover=5))
    reading = read("hkex_daily_quotations", QUOTATIONS, content)
    assert figures(reading, "symbol") == [("0700.HK",)]
    turnover = read("hkex_day_turnover", QUOTATIONS, content)
    assert figures(turnover, "turnover_of_securities") == [(13_300_000_015,)]


# --- Short selling --------------------------------------------------------------------------------


def sold_short(content: bytes) -> list[int]:
    """The places of the lines of the securities sold short, from 0."""
    lines = content.split(b"\n")
    begin = next(n for n, line in enumerate(lines) if b'"short_selling"' in line)
    return [n for n, line in enumerate(lines) if n > begin and line[2:7].strip().isdigit()]


def test_names_with_entities_do_not_shift_the_figures_of_short_selling() -> None:
    names = ["HK & CHINA GAS", "A&B <C> D&E F&G", "FL2 HSI 2X 7500"]
    sellable = [quote(str(code), name=name) for code, name in enumerate(names, 3)]
    content = quotations(*sellable, short=[(q, 7_000, 8_000_000) for q in sellable])
    assert b"HK &amp; CHINA GAS " in content
    reading = read("hkex_short_selling", QUOTATIONS, content)
    assert not reading.rejected
    assert figures(reading, "symbol", *SOLD) == [
        (f"000{code}.HK", 7_000, 8_000_000, 20_289_781, 13_300_000_000) for code in (3, 4, 5)
    ]


def test_the_quotation_names_the_currency_that_a_mark_does_not() -> None:
    others = [quote("80700", currency="CNY"), quote("9008", currency="USD")]
    unquoted = quote("9010", currency="USD")
    content = quotations(quote(), *others, short=[(q, 1, 2) for q in (quote(), *others, unquoted)])
    assert b"\n %80700 TENCENT" in content
    assert b"\n % 9008 TENCENT" in content
    reading = read("hkex_short_selling", QUOTATIONS, content)
    assert figures(reading, "symbol", "currency") == [
        ("0700.HK", "HKD"), ("80700.HK", "CNY"), ("9008.HK", "USD"),
    ]  # fmt: skip
    # Of a security that is not quoted nobody says it.
    assert {line - 1: code for line, (code, _) in reading.rejected.items()} == {
        sold_short(content)[3]: "unknown_currency"
    }


@pytest.mark.parametrize(
    "damage",
    [
        lambda line: line.replace(b"7,000", b"7,?00"),
        lambda line: line.replace(b"    7 ", b"    ? "),
        lambda line: line[:50],
        lambda line: line[15:],
        lambda line: line[:30] + line[45:],
        lambda line: line + b" 1",
    ],
    ids=["a digit", "the code", "cut off", "begins late", "a column is gone", "one too many"],
)
def test_a_damaged_line_of_short_selling_is_rejected(damage: Callable[[bytes], bytes]) -> None:
    sellable = [quote("5"), quote("7"), quote("9")]
    content = quotations(*sellable, short=[(q, 7_000, 8_000_000) for q in sellable])
    lines, place = content.split(b"\n"), sold_short(content)[1]
    lines[place] = damage(lines[place])
    reading = read("hkex_short_selling", QUOTATIONS, b"\n".join(lines))
    assert figures(reading, "symbol") == [("0005.HK",), ("0009.HK",)]
    assert {line: code for line, (code, _) in reading.rejected.items()} == {
        place + 1: "field_count"
    }


def test_a_night_on_which_nothing_was_sold_short_is_no_error() -> None:
    report = read("hkex_short_selling", "e_G250917.htm", quotations(board="gem")).report
    assert (report.reason, report.rows_accepted, report.rows_rejected) == (None, 0, 0)


def test_a_file_without_the_list_of_short_selling_is_refused() -> None:
    content = quotations(short=[(quote(), 1, 2)])
    without = content[: content.index(b'<a name = "short_selling"')]
    cut = content[: content.index(b'<a name = "adj_short"')]
    for damaged, reason in (
        (without, "has no section short_selling"), (cut, "ends within section short_selling"),
    ):  # fmt: skip
        report = read("hkex_short_selling", QUOTATIONS, damaged).report
        assert reason in (report.reason or "")


# --- What is no file of the night -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda c: c.replace(b"DATE: 17 SEP", b"DATE: XX SEP"), "has no date"),
        (lambda c: c[: c.index(b'<a name = "sales_all"')], "ends within section quotations"),
        (lambda c: c[: c.index(b'<a name = "quotations"')], "has no section quotations"),
        (lambda c: c.replace(b"MAIN BOARD AND", b"GROWTH ENTERPRISE MARKET"), "is the file of GEM"),
        (lambda c: c.replace(b"17 SEP 2025", b"16 SEP 2025"), "the row is for 2025-09-16, but"),
        (lambda c: b"<html><body>Service unavailable</body></html>", "has no date"),
    ],
    ids=["no date", "cut in a section", "cut before it", "GEM", "yesterday's", "error page"],
)
def test_what_is_no_file_of_the_night_is_refused(
    damage: Callable[[bytes], bytes], reason: str
) -> None:
    report = read("hkex_daily_quotations", QUOTATIONS, damage(quotations())).report
    assert reason in (report.reason or "")


def test_a_line_that_cannot_be_understood_is_rejected_and_the_others_are_read() -> None:
    content = quotations(quote(), quote("5"), quote("388"))
    lines = content.split(b"\n")
    (second,) = (n for n, line in enumerate(lines) if line[1:6] == b"    5")
    lines[second] = lines[second].replace(b"662.50", b"66?.50")
    reading = read("hkex_daily_quotations", QUOTATIONS, b"\n".join(lines))
    assert [row["symbol"] for row in reading.good] == ["0700.HK", "0388.HK"]
    # Its second line has lost the first, and is not understood either.
    assert {line: code for line, (code, _) in reading.rejected.items()} == {
        second + 1: "field_count", second + 2: "field_count",
    }  # fmt: skip


@pytest.mark.parametrize("time", [93015, 113000, 145959])
def test_a_snapshot_of_a_running_session_is_refused(time: int) -> None:
    shares = [quote("600519", name="A", currency="CNY")]
    content = publishers.sse_closing_snapshot(NIGHT, shares, time)
    report = read("sse_closing_snapshot", "20250917.json", content).report
    assert "before the close at 15:00" in (report.reason or "") or time == 93015
    assert report.rows_accepted == 0


def test_a_snapshot_of_another_day_or_one_page_of_several_is_refused() -> None:
    shares = [quote("600519", name="A", currency="CNY"), quote("600000", name="B", currency="CNY")]
    content = publishers.sse_closing_snapshot(NIGHT, shares)
    yesterday = content.replace(b'"date": 20250917', b'"date": 20250916')
    report = read("sse_closing_snapshot", "20250917.json", yesterday).report
    assert "is for 2025-09-16, but the file is named for 2025-09-17" in (report.reason or "")
    page = content.replace(b'"total": 2', b'"total": 2345')
    report = read("sse_closing_snapshot", "20250917.json", page).report
    assert "says that it has 2345 records, but has 2" in (report.reason or "")


def test_a_new_product_code_is_rejected_and_named() -> None:
    boards = {"17": ("9163.02", "508.58"), "04": ("1.5", "1")}
    reading = read("sse_overview", "20250917.json", publishers.sse_overview(NIGHT, boards))
    assert figures(reading, "segment") == [("all",)]
    ((code, reason),) = reading.rejected.values()
    assert code == "unknown_segment"
    assert "'04' is no segment of feed sse_overview" in reason


# --- Damage ---------------------------------------------------------------------------------------

WHOLE = {
    ("hkex_daily_quotations", QUOTATIONS): quotations(
        quote(), quote("5"), quote("9", status="suspended")
    ),
    ("hkex_quoted_index", QUOTATIONS): quotations(),
    ("hkex_day_turnover", QUOTATIONS): quotations(),
    ("hkex_short_selling", QUOTATIONS): quotations(
        quote(), quote("80700", currency="CNY"),
        short=[(quote(), 7_000, 8_000_000), (quote("80700", currency="CNY"), 9, 10)],
    ),
    ("hkex_stock_connect", CONNECT): publishers.stock_connect(
        NIGHT, [Channel("SSE Southbound", True, {"Total Turnover": "64,769.85"})]
    ),
    ("sse_closing_snapshot", "20250917.json"): publishers.sse_closing_snapshot(
        NIGHT, [quote("600519", name="茅台"), quote("600000", name="B")]
    ),
    ("sse_overview", "20250917.json"): publishers.sse_overview(NIGHT, {"17": ("9163.02", "508")}),
    ("szse_overview", "20250917.json"): publishers.szse_overview_json(NIGHT, {"股票": "10,168.80"}),
    ("hsi_daily_bulletin", "hsi.csv"): publishers.hsi_bulletin(
        NIGHT, [("Hang Seng Index", "26,908.39", "26,924.93", "26,490.02", "469.88", "1.78")]
    ),
}  # fmt: skip


@DRAWN
@given(st.data())
def test_no_damage_loses_a_line_or_stops_the_reading(data: st.DataObject) -> None:
    feed, name = data.draw(st.sampled_from(sorted(WHOLE)))
    content = bytearray(WHOLE[feed, name])
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content)))
        gone = data.draw(st.integers(0, 40))
        content[at : at + gone] = data.draw(st.binary(max_size=6))
    # `read` asserts that every line is loaded, rejected or framing.
    read(feed, name, bytes(content))
