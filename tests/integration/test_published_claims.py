"""Published figures against the warehouse: their verdicts, and the two feeds that complete them.

What each comparison means at its boundaries, the dbt unit tests hold; here stand the claims of the
report of 17 September 2025 as a whole, on the sample and on the real files, and how targets and
events come from files.
"""

import csv
import re
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from dagster_project.home import PROJECT_ROOT, Home
from dagster_project.ingest.feed_catalog import FEEDS_FOLDER, load_feed
from dagster_project.ingest.feed_ingestion import FeedResult, ingest_feed
from dagster_project.ingest.feed_spec import FeedSpecError
from dagster_project.warehouse import raw_tables
from dagster_project.warehouse.connection import connect
from dagster_project.warehouse.dbt_run import build
from dagster_project.warehouse.state import REBUILD_ALL
from tests.cli_process import run_cli
from tests.conftest import copy_home

DAY = "20250917_"
CONTRADICTED = {f"{DAY}alibaba_high"}
# What no real file has: the semiconductor index of that day, targets, events.
NOT_IN_REAL_FILES = {
    f"{DAY}csi_semiconductor_change_pct",
    f"{DAY}alibaba_target",
    f"{DAY}hong_kong_consumer_muted",
    f"{DAY}mainland_consumer_muted",
    # Its one share has prices that a later dividend has shifted.
    f"{DAY}agriculture_lags",
}
NUMERIC = {"equals", "truncates_to", "nearly", "over", "under", "in_years", "streak"}
MARTS = ("published_figure_check", "target_price", "event_reaction")

TARGETS = "symbol,broker,date,target,currency\n9988.HK,A broker,2025-09-17,174,HKD\n"
EVENTS = """event,date,basket,what
services_consumption,2025-09-16,hk_consumer,Measures for spending on services
services_consumption,2025-09-16,mainland_consumer,Measures for spending on services
"""


def claims() -> list[dict[str, str]]:
    path = PROJECT_ROOT / "seeds" / "published_claim.csv"
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, strict=True))


def verdicts(con: duckdb.DuckDBPyConnection) -> dict[str, str]:
    rows = con.execute("select claim_id, verdict from main.published_figure_check").fetchall()
    return dict(rows)


def explanation(con: duckdb.DuckDBPyConnection, claim: str) -> str:
    (text,) = con.execute(
        "select explanation from main.published_figure_check where claim_id = ?", [DAY + claim]
    ).fetchone() or ("",)
    return str(text)


def expected(contradicted: set[str], no_data: set[str]) -> dict[str, str]:
    """The verdict of every claim, confirmed where nothing else is said."""
    others = dict.fromkeys(contradicted, "contradicted") | dict.fromkeys(no_data, "no_data")
    return {row["claim_id"]: others.get(row["claim_id"], "confirmed") for row in claims()}


# -- The claims ----------------------------------------------------------------------------------


@pytest.mark.parametrize("claim", claims(), ids=lambda claim: claim["claim_id"])
def test_a_claim_is_written_so_that_it_can_be_checked(claim: dict[str, str]) -> None:
    published, comparison = claim["published_value"], claim["comparison"]
    if comparison in NUMERIC:
        assert re.fullmatch(r"-?\d+(\.\d+)?", published)
    elif comparison == "since":
        assert re.fullmatch(r"\d{4}(-\d\d){0,2}", published)
    else:
        assert comparison in {"direction", "record", "among_leaders", "among_laggards", "muted"}
        assert published in ({"up", "down", "unchanged"} if comparison == "direction" else {""})
    is_since = comparison in {"since", "in_years", "record"}
    assert is_since == (claim["metric"] == "closing_high_since")
    assert (comparison == "streak") == (claim["metric"] == "streak")
    assert comparison.startswith("among_") == (claim["metric"] == "rank")
    assert (comparison == "muted") == (claim["metric"] == "reaction")
    assert claim["statement"].endswith(".")


def test_verdicts_on_the_sample(sample: duckdb.DuckDBPyConnection) -> None:
    assert verdicts(sample) == expected(CONTRADICTED, set())


def test_verdicts_on_the_real_files(real: duckdb.DuckDBPyConnection) -> None:
    assert verdicts(real) == expected(CONTRADICTED, NOT_IN_REAL_FILES)


def test_a_verdict_says_why(real: duckdb.DuckDBPyConnection) -> None:
    assert explanation(real, "alibaba_high") == (
        "BABA - W (9988.HK): the close of 2025-09-17, 161.6, was the highest since 2021-11-17, "
        "which is not in 2022-11."
    )
    assert explanation(real, "hsi_high") == (
        "Hang Seng Index (HSI): the close of 2025-09-17, 26908.39, was the highest since "
        "2021-07-23, which is at least 4 years before."
    )
    # The members' mean is another figure; it is not hidden.
    assert explanation(real, "tech_majors_change_pct") == (
        "Hang Seng TECH Index (HSTECH): change 4.2217 % on 2025-09-17, which rounds to 4.2; "
        "tech_majors (hong_kong) itself: 5.092 %."
    )
    assert explanation(real, "csi_semiconductor_change_pct") == (
        "931743.CSI: no file gives its change for 2025-09-17."
    )


def test_a_contradiction_is_a_warning_of_the_release(sample: duckdb.DuckDBPyConnection) -> None:
    assert sample.execute(
        """select asset, severity, passed, rows_found from main.release_check
        where check_name = 'published_figures_hold'"""
    ).fetchall() == [("published_figure_check", "warn", False, 1)]


def test_targets_and_events_that_come_late_decide_claims(real_home: Home, tmp_path: Path) -> None:
    home = copy_home(real_home, tmp_path / "home")
    for feed, text in (("broker_target_price", TARGETS), ("market_event", EVENTS)):
        (home.landing / feed).mkdir()
        (home.landing / feed / "entered.csv").write_text(text)
    done = run_cli(home, "nightly", "2025-09-17")
    assert done.returncode == 0, done.stderr
    with connect(home.published, read_only=True) as con:
        found = verdicts(con)
        # Too few sessions of the mainland's shares have a change that the vendor has not shifted.
        unknown = ("csi_semiconductor_change_pct", "agriculture_lags", "mainland_consumer_muted")
        assert found == expected(CONTRADICTED, {DAY + claim for claim in unknown})
        assert con.execute("select round(upside_pct, 2) from main.target_price").fetchall() == [
            (7.67,)
        ]
        # Without 000651.SZ, whose change is not known: with it, -0.31.
        assert con.execute("""
            select basket, round(relative_return_pct, 2) from main.event_reaction order by basket
            """).fetchall() == [("hk_consumer", 0.22), ("mainland_consumer", -0.38)]
        night = {mart: rows(con, mart) for mart in MARTS}
    assert build(home, [], REBUILD_ALL).errors == []
    with connect(home.warehouse, read_only=True) as con:
        assert {mart: rows(con, mart) for mart in MARTS} == night


def rows(con: duckdb.DuckDBPyConnection, mart: str) -> list[Any]:
    return con.execute(f"select * from main.{mart} order by all").fetchall()


# -- The two feeds -------------------------------------------------------------------------------


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as con:
        raw_tables.create_tables(con)
        yield con


def ingest(con: duckdb.DuckDBPyConnection, feed: str, landing: Path, text: str) -> FeedResult:
    (landing / feed).mkdir(parents=True)
    (landing / feed / "file.csv").write_text(text)
    spec = load_feed(FEEDS_FOLDER / f"{feed}.yaml")
    return ingest_feed(con, landing, spec, date(2025, 9, 20), datetime(2025, 9, 20))


def test_targets_are_read(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    """Brokers may speak on one day, which may be a Sunday; what cannot be used is refused."""
    result = ingest(
        con,
        "broker_target_price",
        tmp_path,
        "symbol,broker,date,target,currency\n"
        "9988.HK,A,2025-09-14,174,HKD\n"
        "9988.HK,B,2025-09-14,180.5,HKD\n"
        "9988.HK,B,2025-09-14,180.5,HKD\n"
        "9988.HK,C,2025-09-14,0,HKD\n"
        "9988.HK,D,2025-09-14,170,hkd\n"
        "9988.HK,,2025-09-14,170,HKD\n"
        "BABA,E,2025-09-14,170,HKD\n"
        "0700.HK,F,2025-09-14,700,HKD\n"
        "0700.HK,F,2025-09-14,710,HKD\n",
    )
    assert con.execute(
        "select symbol, broker, trade_date::varchar, target::double, currency "
        "from raw.broker_target order by broker"
    ).fetchall() == [
        ("9988.HK", "A", "2025-09-14", 174.0, "HKD"),
        ("9988.HK", "B", "2025-09-14", 180.5, "HKD"),
    ]
    assert (result.rows_accepted, result.rows_duplicate, result.rows_rejected) == (2, 1, 6)
    refused = con.execute(
        "select line_number, reason_code from raw.rejected_row order by line_number"
    ).fetchall()
    assert refused == [
        (5, "not_positive"),
        (6, "unknown_currency"),
        (7, "missing_value"),
        (8, "unknown_symbol"),
        (9, "contradicting_rows"),
        (10, "contradicting_rows"),
    ]


def test_events_are_read(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    result = ingest(
        con,
        "market_event",
        tmp_path,
        "event,date,basket,what\n"
        'e,2025-09-14,hk_consumer,"Measures, and more"\n'
        'e,2025-09-14,mainland_consumer,"Measures, and more"\n'
        "f,2025-09-14,hk_consumer,Another\n"
        "g,2025-09-14,,For nobody\n"
        "h,2025-09-21,hk_consumer,Not yet\n",
    )
    assert con.execute(
        "select event, trade_date::varchar, basket, what from raw.market_event order by all"
    ).fetchall() == [
        ("e", "2025-09-14", "hk_consumer", "Measures, and more"),
        ("e", "2025-09-14", "mainland_consumer", "Measures, and more"),
        ("f", "2025-09-14", "hk_consumer", "Another"),
    ]
    assert (result.rows_accepted, result.rows_rejected) == (3, 2)
    refused = con.execute("select reason_code from raw.rejected_row order by line_number")
    assert refused.fetchall() == [("missing_value",), ("future_date",)]


@pytest.mark.parametrize(
    ("wrong", "right", "said"),
    [
        (
            "unit: HKD",
            "unit: currency",
            "the unit must be `currency` if each row names its currency",
        ),
        ("  currency: {column: currency}\n", "", "else the currency's code"),
        ("priority: 10\ncurrency: HKD", "priority: 10", "not in both"),
    ],
)
def test_a_target_has_one_currency(wrong: str, right: str, said: str, tmp_path: Path) -> None:
    text = (FEEDS_FOLDER / "broker_target_price.yaml").read_text(encoding="utf-8")
    spoilt = text.replace(right, wrong, 1) if right else text.replace(wrong, "", 1)
    assert spoilt != text
    path = tmp_path / "broker_target_price.yaml"
    path.write_text(spoilt, encoding="utf-8")
    with pytest.raises(FeedSpecError, match=re.escape(said)):
        load_feed(path)
