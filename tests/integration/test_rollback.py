"""A rollback withdraws what came later: its reports follow, and no run publishes it again.

Belongs here: what a rollback means for the runs after it. Does not belong here: what it does to the
published file (`release/test_roll_back.py`).
"""

import dagster as dg
import pytest

from dagster_project.release.read import list_releases, published_release
from dagster_project.warehouse.connection import connect
from tests.integration.desk import Desk
from tests.integration.test_dagster import overdue

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture
def rolled_back(released_desk: Desk) -> Desk:
    """Released up to 18 September 2025, then rolled back to the release of the 17th."""
    first = published_release(released_desk.home)
    assert first
    released_desk.at("2025-09-18").deliver().nightly()
    done = released_desk.closing_bell("rollback", first.release_id)
    assert done.exit_code == 0, done.output
    assert f"published again: {first.release_id}" in done.output
    return released_desk


def test_no_run_publishes_a_withdrawn_release_again(
    rolled_back: Desk, definitions: dg.Definitions
) -> None:
    first, second = list_releases(rolled_back.home)
    said = rolled_back.nightly()
    assert "Nothing new" in said
    assert f"rollback {second.release_id}, up to 2025-09-18, is withdrawn" in said
    job = definitions.resolve_implicit_global_asset_job_def()
    with dg.DagsterInstance.get() as instance:
        clicked = job.execute_in_process(
            instance=instance, asset_selection=[dg.AssetKey(["published", "closing_bell"])]
        )
        assert clicked.success
        key, skipped = overdue(definitions, instance, rolled_back.now.replace(hour=22))
    assert (key, skipped) == (None, "2025-09-18 was released and withdrawn")
    assert published_release(rolled_back.home) == first
    assert list_releases(rolled_back.home) == [first, second]

    # Somebody says so.
    assert rolled_back.closing_bell("rollback", second.release_id).exit_code == 0
    assert published_release(rolled_back.home) == second
    assert "is withdrawn" not in rolled_back.nightly()


def test_the_next_change_brings_what_was_withdrawn_without_a_full_rebuild(
    rolled_back: Desk,
) -> None:
    first, second = list_releases(rolled_back.home)
    rolled_back.at("2025-09-19").deliver()
    rolled_back.nightly()
    release = published_release(rolled_back.home)
    assert release
    assert release.previous_release_id == first.release_id
    assert str(release.rebuilt_from) == "2025-09-18"
    assert f"withdrawn with {second.release_id}" in release.what_changed
    assert rolled_back.covered() == [("2025-09-17", "2025-09-19")]
    with connect(rolled_back.home.warehouse, read_only=True) as con:
        assert con.execute("select count(*) from raw.pending_rebuild").fetchone() == (0,)


def test_the_reports_follow(rolled_back: Desk) -> None:
    first, second = list_releases(rolled_back.home)
    reports = rolled_back.home.reports
    assert not (reports / "2025-09-18").exists()
    moved = reports / "withdrawn" / second.release_id / "2025-09-18" / "market_report.html"
    assert second.release_id in moved.read_text()
    assert first.release_id in (reports / "2025-09-17" / "market_report.html").read_text()

    rolled_back.closing_bell("rollback", second.release_id)
    assert second.release_id in (reports / "2025-09-18" / "market_report.html").read_text()
