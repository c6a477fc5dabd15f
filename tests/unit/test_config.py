"""What an operator keeps in `config/` of the home counts over what the project ships."""

from datetime import date
from pathlib import Path

import pytest

from dagster_project.audit.run import fingerprint
from dagster_project.audit.waivers import load_waivers
from dagster_project.ingest.feed_catalog import FEEDS_FOLDER, load_feeds
from dagster_project.market.seeds import SeedError, markets_and_overrides
from dagster_project.warehouse.sessions import closing_times


@pytest.fixture
def config(tmp_path: Path) -> Path:
    folder = tmp_path / "config"
    (folder / "feeds").mkdir(parents=True)
    return folder


def test_a_feed_of_the_operator_replaces_one_of_its_name(config: Path) -> None:
    shipped = load_feeds().feeds
    text = (FEEDS_FOLDER / "wsj_index.yaml").read_text()
    (config / "feeds" / "wsj_index.yaml").write_text(text.replace("title: ", "title: Our own "))
    (config / "feeds" / "our_index.yaml").write_text(
        text.replace("feed: wsj_index", "feed: our_index")
    )
    catalog = load_feeds(config=config)
    assert catalog.problems == {}
    assert catalog.feeds.keys() == shipped.keys() | {"our_index"}
    assert catalog.feeds["wsj_index"].title.startswith("Our own ")

    # One with a mistake is no reason to read the files by the shipped spec.
    (config / "feeds" / "wsj_index.yaml").write_text("feed: wsj_index\n")
    catalog = load_feeds(config=config)
    assert "wsj_index" not in catalog.feeds
    assert str(config / "feeds" / "wsj_index.yaml") in catalog.problems["wsj_index"]


def test_a_waiver_of_the_operator_counts_and_has_the_audit_run_again(config: Path) -> None:
    before = fingerprint(config)
    (config / "waivers.csv").write_text(
        "check_name,symbol,trade_date,reason,who\n"
        "moves_unusual,HSI,2024-10-08,the day after the holiday,desk\n"
    )
    (waiver,) = (each for each in load_waivers(config=config) if each.who == "desk")
    assert (waiver.symbol, waiver.trade_date) == ("HSI", date(2024, 10, 8))
    assert fingerprint(config) != before


def test_a_session_of_the_operator_counts_over_the_shipped_one(config: Path) -> None:
    header = "market,trade_date,is_session,is_half_day,reason\n"
    day = date(2025, 9, 17)
    overrides = config / "session_override.csv"
    overrides.write_text(f"{header}XHKG,{day},false,false,typhoon\n")
    assert closing_times(day, day) == {day: "16:10"}
    assert closing_times(day, day, config) == {day: "15:00"}

    shipped = markets_and_overrides()[1][0]
    overrides.write_text(
        f"{header}{shipped.market},{shipped.trade_date},{str(not shipped.is_session).lower()},"
        "false,ours\n"
    )
    assert len(markets_and_overrides(config)[1]) == len(markets_and_overrides()[1])

    overrides.write_text(f"{header}XTKS,{day},false,false,holiday\n")
    with pytest.raises(SeedError, match=f"{overrides}:2: market 'XTKS' is not in market.csv"):
        markets_and_overrides(config)
