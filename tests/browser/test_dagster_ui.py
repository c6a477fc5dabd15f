"""The real Dagster UI in a real browser, as a data engineer meets it."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright import sync_api

from dagster_project.home import PROJECT_ROOT, Home
from tests.cli_process import run_cli

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")

GROUPS = ("ingest", "raw", "seeds", "staging", "intermediate", "marts", "published", "report")
SLOW = 60_000  # milliseconds; a run starts a process of its own, on a machine that may be busy


@pytest.fixture(scope="module")
def home(sample_home: Home, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """The sample with one file that cannot be read, run once, so that there is something to see."""
    home = Home(tmp_path_factory.mktemp("ui"))
    shutil.copytree(sample_home.landing, home.landing)
    (home.landing / "wsj_index" / "NIKKEI.csv").write_text("Date, Open, High, Low, Close\n")
    done = run_cli(home, "backfill", "2021-01-01", "2025-09-17")
    assert done.returncode == 0, done.stderr
    return home


@pytest.fixture(scope="module")
def server(home: Home) -> Iterator[str]:
    """What `make dev` runs, on that home; yields its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = os.environ | {
        "CLOSING_BELL_HOME": str(home.root),
        "DAGSTER_HOME": str(home.dagster),
        "VIRTUAL_ENV": sys.prefix,
    }
    with (home.root / "dev.log").open("w") as log:
        process = subprocess.Popen(
            [
                str(Path(sys.executable).parent / "dg"), "dev",
                "--host", "127.0.0.1", "--port", str(port),
            ],
            cwd=PROJECT_ROOT, env=environment, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
        address = f"http://127.0.0.1:{port}"
        deadline = time.monotonic() + 120
        while True:
            try:
                urllib.request.urlopen(f"{address}/server_info", timeout=2)
                break
            except OSError:
                assert process.poll() is None, (home.root / "dev.log").read_text()
                assert time.monotonic() < deadline, (home.root / "dev.log").read_text()
                time.sleep(0.5)
        yield address
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:  # no test is about how soon it ends
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@pytest.fixture(scope="module")
def page(server: str) -> Iterator[sync_api.Page]:
    """A browser window that knows no network but this machine."""
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        page = browser.new_page(viewport={"width": 1600, "height": 1000})
        page.set_default_timeout(SLOW)
        yield page
        browser.close()


def test_the_asset_graph_shows_every_group(server: str, page: sync_api.Page) -> None:
    page.goto(f"{server}/asset-groups")
    for group in GROUPS:
        page.get_by_text(group, exact=True).first.wait_for()


def test_a_failed_check_shows_its_reason(server: str, page: sync_api.Page) -> None:
    page.goto(f"{server}/assets/main/file_load?view=checks&checkDetail=files_set_aside")
    page.get_by_text("files_set_aside").first.wait_for()
    page.get_by_text("symbol 'NIKKEI' is not a known index").first.wait_for()


def test_the_release_shows_the_close_of_the_day(server: str, page: sync_api.Page) -> None:
    page.goto(f"{server}/assets/published/closing_bell")
    page.get_by_text("closing_bell.duckdb").first.wait_for()


def test_a_materialization_started_by_clicking_ends_green(server: str, page: sync_api.Page) -> None:
    page.goto(f"{server}/assets/main/dim_market")
    page.get_by_role("button", name="Materialize").first.click()
    page.get_by_text("Launched run").first.wait_for()
    page.get_by_text("View", exact=True).first.click()
    page.get_by_text("Success", exact=True).first.wait_for()


def test_the_report_opens_and_shows_where_a_figure_comes_from(
    home: Home, server: str, page: sync_api.Page
) -> None:
    page.goto(f"{server}/assets/report/market_report?partition=2025-09-17")
    page.get_by_text("market_report.html").first.wait_for()
    page.goto((home.reports / "2025-09-17" / "market_report.html").as_uri())
    figure = page.locator("a[data-ref]", has_text="26,908.39").first
    figure.hover()
    shown = figure.evaluate("element => getComputedStyle(element, '::after').content")
    assert "wsj_index/HSI.csv" in shown
