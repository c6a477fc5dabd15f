"""Feed specs: what they mean, and that a wrong one is reported with file, line and remedy."""

import re
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dagster_project.ingest.changes import reading_fingerprint
from dagster_project.ingest.feed_catalog import FEEDS_FOLDER, load_feed, load_feeds
from dagster_project.ingest.feed_spec import FeedSpec, FeedSpecError, SymbolSource
from dagster_project.market.symbols import a_share_suffix
from dagster_project.market.units import Unit
from tests.support import specs

GOOD = """\
feed: vendor
title: Closes of a vendor
vendor: A vendor
files: "{code}.csv"
content: history
priority: 10
format: {type: csv}
records: [index_close]
symbol: {file: code}
currency: HKD
columns:
  trade_date: {column: Date, format: "%Y-%m-%d"}
  close: {column: Close, unit: points}
  volume: {column: Volume, unit: shares}
"""


def load(folder: Path, text: str) -> FeedSpec:
    """Load a spec text as feeds/vendor.yaml."""
    path = folder / "vendor.yaml"
    path.write_text(text, encoding="utf-8")
    return load_feed(path)


def test_every_feed_of_the_project_loads() -> None:
    feeds = specs()
    assert set(feeds) == {path.stem for path in FEEDS_FOLDER.glob("*.yaml")}
    assert len(feeds) >= 13


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ("title:", "titel:", 2, "titel: is not a key of a feed spec; a typo?"),
        ("title: Closes of a vendor\n", "", 1, "title: Field required"),
        ("feed: vendor", "feed: vender", 1, "the file is named 'vendor', but the feed 'vender'"),
        ("feed: vendor", "feed: Vendor X", 1, "feed: String should match"),
        ("type: csv", "type: cvs", 7, "format.type: Input should be 'csv'"),
        ("type: csv", "type: csv, encoding: utf9", 7, "'utf9' is not a text encoding"),
        ("type: csv", "type: csv, encoding: base64", 7, "'base64' is not a text encoding"),
        ("type: csv", "type: csv, delimiter: ';;'", 7, "format.delimiter: String should match"),
        (
            "type: csv",
            "type: csv, symbol_line: 2",
            7,
            "must be one of the header lines after the first",
        ),
        ("type: csv", "type: csv, thousands: '.'", 7, "format.thousands: String should match"),
        ("type: csv", "type: json", 7, "needs the path of its list"),
        (
            "index_close",
            "index_closes",
            8,
            "records.0: 'index_closes' is not a record kind; known: index_close, ",
        ),
        ("[index_close]", "[index_close, index_close]", 8, "a kind can be named once"),
        ("[index_close]", "[index_close, market_turnover]", 11, "need turnover"),
        ("[index_close]", "[security_reference]", 11, "need industry"),
        (
            "[index_close]",
            "[exchange_rate]",
            1,
            "`rates` and `base_currency` are for exchange_rate",
        ),
        ("symbol: {file: code}", "symbol: {file: symbol}", 9, "'symbol' is not a placeholder"),
        ("symbol: {file: code}", "symbol: {}", 9, "say where the symbol is"),
        ("symbol: {file: code}\n", "", 1, "say where the symbol is"),
        ("currency: HKD", "currency: hkd", 10, "currency"),
        ("currency: HKD\n", "", 1, "give the currency"),
        ("currency: HKD", "currency: HKD\nmarket: XHKG", 11, "a map symbol -> MIC"),
        (
            "currency: HKD",
            "currency: HKD\nmarket: {A: XSHG, B: XSHG}",
            11,
            "two symbols cannot give the turnover of one market",
        ),
        ("unit: points", "unit: yen", 13, "columns.close: unit 'yen' is not known; write"),
        ("unit: points", "unit: CNY", 13, "unit 'CNY' contradicts currency 'HKD'"),
        ("unit: points", "unit: shares", 13, "expected currency or points"),
        (", unit: points", "", 13, "columns.close: give its unit"),
        ("unit: points", "unit: points, optional: true", 11, "need close, and not optional"),
        ("unit: points", "unit: points, format: '%Y'", 13, "columns.close: does not take format"),
        ("close: {", "closing: {", 13, "columns.closing: is not a canonical column; known:"),
        ("close: {", "symbol: {", 13, "columns.symbol: is not a canonical column"),
        ("%Y-%m-%d", "%Y-%m", 12, "columns.trade_date.format: '%Y-%m' is not a date format"),
        ("%Y-%m-%d", "YYYY-MM-DD", 12, "columns.trade_date.format: 'YYYY-MM-DD' is not a date"),
        ("%Y-%m-%d", "%Q", 12, "'%Q' is not a date format"),
        ("{code}.csv", "{code}-{code}.csv", 4, "placeholders must be different words"),
        ("{code}.csv", "{2x}.csv", 4, "placeholders must be different words"),
        ("{code}.csv", "{code}-{date}.csv", 4, "needs `file_date_format`"),
        ("priority: 10", "priority: ten", 6, "priority: Input should be a valid integer"),
        ("priority: 10", "due_by: 18:00\npriority: 10", 6, "due_by"),
        ("priority: 10", "closes_at: '25:00'\npriority: 10", 6, "closes_at"),
        ("priority: 10", "closes_at: {HSI: noon}\npriority: 10", 6, "closes_at"),
        (
            "priority: 10",
            "price_basis: net\npriority: 10",
            6,
            "price_basis: Input should be 'traded'",
        ),
        (
            "type: csv",
            "type: json, records: data, ends_with_newline: true",
            7,
            "format.ends_with_newline: only csv files end with a line feed",
        ),
        (
            "unit: points",
            "unit: points, beyond_range_pct: 2",
            13,
            "columns.close.beyond_range_pct: only `open` may be beyond low and high",
        ),
        (
            "priority: 10",
            "segments: [main, gem]\npriority: 10",
            4,
            "needs the placeholder {segment}",
        ),
        ("  volume:", "  close:", 14, "close: is here a second time"),
        ("feed: vendor", "feed: [vendor", 2, "is not YAML"),
        ("priority: 10", "priority: 10\n\tx: 1", 7, "is not YAML"),
    ],
)
def test_a_wrong_spec_names_file_line_and_remedy(
    tmp_path: Path, old: str, new: str, line: int, message: str
) -> None:
    assert load(tmp_path, GOOD).feed == "vendor"
    assert old in GOOD
    with pytest.raises(FeedSpecError) as raised:
        load(tmp_path, GOOD.replace(old, new, 1))
    assert f"{tmp_path}/vendor.yaml:{line}: " in str(raised.value)
    assert message in str(raised.value)


@pytest.mark.parametrize("text", ["", "- a\n- b", "just words", "&a [*a]", "feed: 2025-13-45"])
def test_what_is_no_spec_at_all_is_rejected(tmp_path: Path, text: str) -> None:
    with pytest.raises(FeedSpecError, match=r"vendor\.yaml"):
        load(tmp_path, text)


def test_several_mistakes_are_reported_at_once(tmp_path: Path) -> None:
    with pytest.raises(FeedSpecError) as raised:
        load(tmp_path, GOOD.replace("title:", "titel:").replace("type: csv", "type: cvs"))
    lines = re.findall(r"vendor\.yaml:(\d+): ", str(raised.value))
    assert sorted(map(int, lines)) == [1, 2, 7]


def test_a_wrong_spec_keeps_no_other_from_loading(tmp_path: Path) -> None:
    (tmp_path / "vendor.yaml").write_text(GOOD)
    (tmp_path / "typo.yaml").write_text(GOOD.replace("title", "titel"))
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "other.yml").write_text(GOOD)
    (tmp_path / "notes.txt").write_text("no spec")
    catalog = load_feeds(tmp_path)
    assert set(catalog.feeds) == {"vendor"}
    assert set(catalog.problems) == {"typo", "binary", "other"}
    assert "rename it to other.yaml" in catalog.problems["other"]


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_no_damage_to_a_spec_does_more_than_reject_it(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    text = (FEEDS_FOLDER / "baostock_index.yaml").read_text()
    at = data.draw(st.integers(0, len(text)))
    cut = data.draw(st.integers(0, 20))
    put = data.draw(st.text(alphabet="{}[]:,*&!|>'\"\n\t -x0%\\é", max_size=8))
    folder = tmp_path_factory.getbasetemp() / "damaged"
    folder.mkdir(exist_ok=True)
    (folder / "baostock_index.yaml").write_text(text[:at] + put + text[at + cut :])
    catalog = load_feeds(folder)
    assert len(catalog.feeds) + len(catalog.problems) == 1
    for problem in catalog.problems.values():
        assert "baostock_index.yaml" in problem


@pytest.mark.parametrize(
    ("text", "exponent", "dimension", "currency"),
    [
        ("points", 0, "points", None),
        ("lots", 2, "shares", None),
        ("ten_thousand shares", 4, "shares", None),
        ("hundred_million lots", 10, "shares", None),
        ("HKD", 0, "currency", "HKD"),
        ("thousand CNY", 3, "currency", "CNY"),
        ("hundred_million CNY", 8, "currency", "CNY"),
        ("percent", 0, "percent", None),
    ],
)
def test_units(text: str, exponent: int, dimension: str, currency: str | None) -> None:
    assert Unit.parse(text) == Unit(text, exponent, dimension, currency)


@pytest.mark.parametrize("text", ["", "thousand", "thousand million CNY", "CNY thousand", "EUR "])
def test_unknown_units(text: str) -> None:
    with pytest.raises(ValueError, match="is not known; write"):
        Unit.parse(text)


@pytest.mark.parametrize(
    ("scheme", "delivered", "symbol"),
    [
        ("as_delivered", "0005.HK", "0005.HK"),
        ("hkex_code", "5", "0005.HK"),
        ("hkex_code", "00005", "0005.HK"),
        ("hkex_code", "0005.HK", "0005.HK"),
        ("hkex_code", "80700", "80700.HK"),
        ("a_share_code", "600519", "600519.SH"),
        ("a_share_code", "000333", "000333.SZ"),
        ("csi_code", "931743", "931743.CSI"),
    ],
)
def test_symbols(scheme: str, delivered: str, symbol: str) -> None:
    source = SymbolSource.model_validate({"column": "code", "scheme": scheme})
    assert source.canonical(delivered) == symbol


@pytest.mark.parametrize(
    ("code", "suffix"),
    [("600000", ".SH"), ("688981", ".SH"), ("900901", ".SH"), ("510300", ".SH"), ("000001", ".SZ"),
     ("200002", ".SZ"), ("300750", ".SZ"), ("159915", ".SZ"), ("430047", ".BJ"), ("830799", ".BJ"),
     ("920017", ".BJ"), ("110059", ".SH"), ("113050", ".SH"), ("118003", ".SH"), ("132018", ".SH"),
     ("204001", ".SH"), ("019547", ".SH"), ("122000", ".SH"), ("360001", ".SH"), ("123001", ".SZ"),
     ("127003", ".SZ"), ("128001", ".SZ"), ("131810", ".SZ"), ("160105", ".SZ"), ("180101", ".SZ"),
     ("201872", ".SZ"), ("302132", ".SZ"), ("588000", ".SH"), ("689009", ".SH"), ("871981", ".BJ")],
)  # fmt: skip
def test_exchanges_of_mainland_codes(code: str, suffix: str) -> None:
    assert a_share_suffix(code) == suffix


def test_names_of_files() -> None:
    turnover, daily, hong_kong = (
        specs(name)[name] for name in ("hkex_turnover", "tushare_daily", "yahoo_hk")
    )
    assert turnover.match("main_2025_2029.json") == {"segment": "main"}
    assert turnover.match("board_2025.json") is None
    assert daily.match("20250917.csv") == {"date": "20250917"}
    assert hong_kong.match("0005.HK.csv") == {"symbol": "0005.HK"}
    assert hong_kong.match("sub/0005.HK.csv") is None
    assert hong_kong.match("0005.HK.csv.gz") is None
    assert daily.file_date({"date": "20250917"}) == date(2025, 9, 17)
    # Two names must not say one date, since raw relies on a day's file being the only one.
    for name in ("2025917", "20250931", "latest", "２０２５０９１７"):
        with pytest.raises(ValueError):  # noqa: PT011 - its words come from strptime
            daily.file_date({"date": name})


@pytest.mark.parametrize(
    ("files", "symbol", "own"),
    [
        ("{code}.csv", "{file: code}", True),
        ("{code}.csv", "{file: code, map: {a: HSI, b: HSI}}", False),
        ("{code}.csv", "{file: code, scheme: hkex_code}", False),
        ("{code}.csv", "{column: Code}", False),
        ("{code}_{part}.csv", "{file: code}", False),
        ("{code}_*.csv", "{file: code}", False),
        ("*.csv", "{column: Code}", False),
    ],
)
def test_whether_two_files_can_state_one_record(
    tmp_path: Path, files: str, symbol: str, own: bool
) -> None:
    text = GOOD.replace("{code}.csv", files).replace("{file: code}", symbol)
    assert load(tmp_path, text).has_own_keys_per_file is own


def test_a_change_of_meaning_changes_the_fingerprint(tmp_path: Path) -> None:
    before = reading_fingerprint(load(tmp_path, GOOD), None)
    assert reading_fingerprint(load(tmp_path, "# a remark\n" + GOOD), None) == before
    assert (
        reading_fingerprint(load(tmp_path, GOOD.replace("unit: shares", "unit: lots")), None)
        != before
    )
