"""What an operator keeps in `config/` decides a run, beside code that is never changed."""

import shutil

import pytest

from dagster_project.ingest.feed_catalog import FEEDS_FOLDER
from tests.cli_process import run_cli
from tests.integration.desk import Desk

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def night(desk: Desk) -> str:
    """In a process of its own: feeds are loaded once in a process."""
    done = run_cli(desk.home, "nightly", "2025-09-18")
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_feed_a_waiver_and_settings_of_the_operator(released_desk: Desk) -> None:
    home = released_desk.home
    feeds = home.config / "feeds"
    feeds.mkdir(parents=True)
    text = (FEEDS_FOLDER / "wsj_index.yaml").read_text()
    (feeds / "our_index.yaml").write_text(text.replace("feed: wsj_index", "feed: our_index"))
    (home.config / "settings.yaml").write_text("keep_releases: 2\n")
    released_desk.at("2025-09-18").deliver()
    shutil.move(home.landing / "wsj_index" / "HSI.csv", home.landing / "moved.csv")
    (home.landing / "our_index").mkdir()
    shutil.move(home.landing / "moved.csv", home.landing / "our_index" / "HSI.csv")
    night(released_desk)
    assert released_desk.ask(
        "select feed from main.index_performance where symbol = 'HSI' and trade_date = '2025-09-18'"
    ) == [("our_index",)]

    # A release of its own, because the audit finds something else now.
    ((check, symbol, day),) = released_desk.ask(
        "select check_name, symbol, trade_date::VARCHAR from main.anomaly "
        "where symbol is not null and trade_date is not null order by all limit 1"
    )
    (home.config / "waivers.csv").write_text(
        f"check_name,symbol,trade_date,reason,who\n{check},{symbol},{day},it is real,desk\n"
    )
    assert "Nothing new" not in night(released_desk)
    assert released_desk.ask(
        f"select waiver from main.anomaly where check_name = '{check}' and symbol = '{symbol}' "
        f"and trade_date = '{day}'"
    )[0] == ("it is real (desk)",)
    assert len(list(home.releases.iterdir())) == 2


def test_a_wrong_setting_is_wrong_use(released_desk: Desk) -> None:
    released_desk.home.config.mkdir()
    (released_desk.home.config / "settings.yaml").write_text("keep_release: 2\n")
    done = released_desk.closing_bell("nightly", "2025-09-17")
    assert done.exit_code == 2
    assert "settings.yaml:1: keep_release: is no setting" in done.output
