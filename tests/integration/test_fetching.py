"""Nights whose files are fetched, from a server on this machine that plays the exchanges.

Belongs here: what a run, a second look and a look of the next morning make of what the publishers
answer. Does not belong here: each answer on its own (`tests/unit/fetch/`).
"""

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

import duckdb
import pytest
import yaml

from dagster_project.fetch.source_spec import load_sources
from dagster_project.home import Home
from seeds.sample.exchange_server import ExchangeServer, Play, exchange_server
from seeds.sample.exchanges import played
from tests.cli_process import run_cli
from tests.conftest import copy_home
from tests.integration.publishers import NEXT, files_of_days

HONG_KONG = timezone(timedelta(hours=8))
EVENING = datetime(2025, 9, 18, 19, tzinfo=HONG_KONG)
LATER = datetime(2025, 9, 18, 20, tzinfo=HONG_KONG)
NEXT_MORNING = datetime(2025, 9, 19, 8, tzinfo=HONG_KONG)
OFFERED = {
    name: source
    for name, source in load_sources(Path("/nowhere")).offered.items()
    if not source.akshare
}


@pytest.fixture
def server() -> Iterator[ExchangeServer]:
    with exchange_server() as server:
        yield server


@pytest.fixture
def home(publishers_home: Home, tmp_path: Path, server: ExchangeServer) -> Home:
    """Released up to the day before, with every source switched on."""
    home = Home(tmp_path / "home")
    copy_home(publishers_home, home.root)
    files = files_of_days()[NEXT]
    switches: dict[str, dict[str, str]] = {}
    for name, source in OFFERED.items():
        content = files[source.path(NEXT).removesuffix(".gz")]
        missing = source.answer.least_bytes - len(content)
        if missing > 0:
            # A page of a hundredth of the market is filled up with blank lines.
            content = content.replace(b"<pre>", b"<pre>" + b"\n" * missing, 1)
        answer = Play(content, headers={"ETag": '"1"'})
        switches[name] = {"url": played(server, source, NEXT, answer).url}
    home.config.mkdir(exist_ok=True)
    home.config.joinpath("sources.yaml").write_text(yaml.safe_dump({"sources": switches}))
    return home


def query(home: Home, sql: str) -> list[tuple[object, ...]]:
    with duckdb.connect(str(home.published), read_only=True) as con:
        return con.execute(sql).fetchall()


def test_a_night_that_comes_in_parts(home: Home, server: ExchangeServer) -> None:
    gem, sse = ("/" + OFFERED[name].path(NEXT) for name in ("hkex_gem", "sse_overview"))
    (whole,) = server.plays[gem]
    (overview,) = server.plays[sse]
    server.play(gem, Play(status=404))
    server.play(sse, Play(b"<html>The service is busy</html>"))

    evening = run_cli(home, "nightly", f"{NEXT}", now=EVENING)
    assert evening.returncode == 0, evening.stdout + evening.stderr
    # The rest is released, and what lacks is named.
    turnover = f"select market from market_turnover where trade_date = '{NEXT}' order by market"
    assert query(home, turnover) == [("XSHE",)]
    part = (
        "only a part came; turnover gem is missing from landing/hkex_daily_quotations/{d,e_G}250918"
    )
    assert f"late     {NEXT} XHKG hkex_day_turnover: {part}" in evening.stdout
    assert f"late     {NEXT} XSHG sse_overview: nothing that counts" in evening.stdout
    said = " ".join(evening.stdout.split())
    assert "fetching: sse_overview damaged, it does not begin with '{'" in said
    assert "fetching: hkex_gem not yet, is not there yet (answer 404)" in said

    server.plays |= {gem: [whole], sse: [overview]}
    asked = len(server.asked)
    later = run_cli(home, "fetch", f"{NEXT}", now=LATER)
    assert later.returncode == 0, later.stdout + later.stderr
    words = [line.split(":")[0].split() for line in later.stdout.splitlines()]
    outcomes = {source: outcome for outcome, source in words}
    assert outcomes["hkex_gem"] == outcomes["sse_overview"] == "new"
    assert set(outcomes.values()) == {"new", "unchanged"}
    assert len(server.asked) == asked + 2
    assert run_cli(home, "nightly", f"{NEXT}", now=LATER).returncode == 0
    assert query(home, turnover) == [("XHKG",), ("XSHE",), ("XSHG",)]

    # Overnight the exchange corrects a file under the same name.
    corrected = Play(overview.content.replace(b'"PRODUCT_CODE": "03"', b'"PRODUCT_CODE": "02"'),
                     headers={"ETag": '"2"'})  # fmt: skip
    server.play(sse, corrected)
    morning = run_cli(home, "fetch", f"{NEXT}", "--again", now=NEXT_MORNING)
    assert "changed      sse_overview" in morning.stdout
    assert run_cli(home, "nightly", f"{NEXT}", now=NEXT_MORNING).returncode == 0
    rows = query(
        home,
        f"select segment, is_current from raw.market_turnover where feed = 'sse_overview' "
        f"and trade_date = '{NEXT}' and segment in ('star', 'main_b')",
    )
    assert rows == [("main_b", True)]


def test_nothing_switched_on_is_told_with_what_to_write(tmp_path: Path) -> None:
    run = run_cli(Home(tmp_path), "fetch")
    assert run.returncode == 2
    assert "no source is switched on. There are csindex_931743, " in run.stderr
    assert "sse_overview: true" in run.stderr
