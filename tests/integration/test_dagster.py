"""What Dagster is told: assets, jobs, schedule and sensor, by the real Dagster."""

import os
import shutil
import time
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import dagster as dg
import duckdb
import pytest
from dagster._core.test_utils import create_run_for_test

from dagster_project.defs.automation import reason_of, run_page
from dagster_project.defs.partitions import requested_dates
from dagster_project.home import Home
from dagster_project.ingest.feed_catalog import load_feeds
from dagster_project.market import calendar
from dagster_project.warehouse.dbt_run import DBT_PROJECT
from tests.conftest import copy_home


def test_every_definition_loads(definitions: dg.Definitions) -> None:
    dg.Definitions.validate_loadable(definitions)


def test_one_asset_a_feed_and_daily_feeds_are_partitioned(definitions: dg.Definitions) -> None:
    graph = definitions.resolve_asset_graph()
    for name, spec in load_feeds().feeds.items():
        node = graph.get(dg.AssetKey(["feed", name]))
        assert node.group_name == "ingest"
        assert (node.partitions_def is not None) == (spec.content == "day")


def test_groups_are_the_rooms_of_the_house(definitions: dg.Definitions) -> None:
    graph = definitions.resolve_asset_graph()
    groups = {graph.get(key).group_name for key in graph.get_all_asset_keys()}
    assert {
        "ingest",
        "raw",
        "seeds",
        "staging",
        "intermediate",
        "marts",
        "audit",
        "published",
        "report",
    } <= groups
    assert None not in groups
    assert "default" not in groups


def test_the_release_comes_after_every_mart_and_blocking_check(
    definitions: dg.Definitions,
) -> None:
    graph = definitions.resolve_asset_graph()
    release = graph.get(dg.AssetKey(["published", "closing_bell"]))
    marts = {key for key in graph.get_all_asset_keys() if graph.get(key).group_name == "marts"}
    assert marts <= set(release.parent_keys)


def test_the_views_of_the_audit_are_assets_behind_what_they_read(
    definitions: dg.Definitions,
) -> None:
    graph = definitions.resolve_asset_graph()
    views = {path.stem for path in (DBT_PROJECT / "models/audit").rglob("*.sql")}
    audit = {key for key in graph.get_all_asset_keys() if graph.get(key).group_name == "audit"}
    assert audit == {dg.AssetKey(["audit", view]) for view in views}
    coverage = graph.get(dg.AssetKey(["audit", "deliveries_missing"])).parent_keys
    assert dg.AssetKey(["main", "session_coverage"]) in coverage
    release = graph.get(dg.AssetKey(["published", "closing_bell"]))
    assert not audit & set(release.parent_keys)


def test_no_run_waits_for_a_slot_of_one_that_was_killed(definitions: dg.Definitions) -> None:
    """Dagster frees a pool's slot when a step ends; the system frees the writer's lock anyway."""
    graph = definitions.resolve_asset_graph()
    for key in graph.get_all_asset_keys():
        if graph.get(key).is_materializable:
            assert not graph.get(key).pools, key


@pytest.mark.parametrize(
    ("evening", "night"),
    [
        ("2025-09-17", "2025-09-17"),
        ("2025-10-01", "2025-09-30"),  # all markets are closed
        ("2025-10-02", "2025-10-02"),  # Hong Kong is open
        ("2027-01-04", "2027-01-04"),  # the calendar ends before
    ],
)
def test_the_schedule_asks_for_the_last_session_that_has_closed(
    definitions: dg.Definitions, evening: str, night: str
) -> None:
    schedule = definitions.resolve_schedule_def("after_the_close")
    assert schedule.cron_schedule == "30 18 * * 1-5"
    assert schedule.execution_timezone == "Asia/Hong_Kong"
    at = datetime.fromisoformat(f"{evening}T18:30").replace(tzinfo=ZoneInfo("Asia/Hong_Kong"))
    with dg.build_schedule_context(
        scheduled_execution_time=at, repository_def=definitions.get_repository_def()
    ) as context:
        (request,) = schedule.evaluate_tick(context).run_requests or []
    assert (request.run_key, request.partition_key) == (evening, night)
    assert requested_dates(request.tags) == (date.fromisoformat(night), date.fromisoformat(night))


def test_the_sensor_requests_a_run_until_the_files_are_in_the_release(
    definitions: dg.Definitions,
    sample_home: Home,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    home = copy_home(sample_home, tmp_path / "home")
    monkeypatch.setenv("CLOSING_BELL_HOME", str(home.root))
    sensor = definitions.resolve_sensor_def("landing_files")
    file = home.landing / "wsj_index" / "HSI.csv"

    def tick(later: timedelta = timedelta()) -> tuple[str | None, dict[str, str], str | None]:
        """The partition of the run that is requested, its tags, or why none is."""
        now = calendar.now_in_hong_kong() + later
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(calendar, "now_in_hong_kong", lambda: now)
            with dg.build_sensor_context(instance=instance, definitions=definitions) as context:
                data = sensor.evaluate_tick(context)
        (request,) = data.run_requests or [dg.RunRequest()]
        return request.partition_key, dict(request.tags), data.skip_message

    def run(status: dg.DagsterRunStatus, tags: dict[str, str]) -> dg.DagsterRun:
        return create_run_for_test(instance, "nightly", tags=tags, status=status)

    with dg.DagsterInstance.ephemeral() as instance:
        assert tick() == (None, {}, "no file is new, changed or gone")
        file.write_text(file.read_text().replace("\n", "\r\n"))
        assert tick()[2] == "a file changed just now; it may still be being copied"
        settled = time.time() - 60
        os.utime(file, (settled, settled))
        day, tags, _ = tick()
        assert day == "2025-09-17"  # of the release's clock: it asks for no new date
        assert tick() == (day, tags, None)  # a tick can be repeated
        run(dg.DagsterRunStatus.STARTED, tags)
        assert tick()[2] == "a run of these files is requested"
        # Its machine stops: the correction is not forgotten.
        assert tick(timedelta(minutes=20)) == (day, tags, None)
        run(dg.DagsterRunStatus.FAILURE, tags)
        assert tick() == (day, tags, None)
        run(dg.DagsterRunStatus.FAILURE, tags)
        assert tick()[2] == "3 runs of these files were lost; the next night comes"
        # Another change is another request, also where a file is gone.
        file.unlink()
        day, tags, _ = tick()
        assert day == "2025-09-17"
        # A run that fails in a step has alerted somebody.
        failed = withheld.execute_in_process(instance=instance, tags=tags, raise_on_error=False)
        assert tick()[2] == f"run {failed.run_id} of these files ended without a release"
        with home.writer_lock():
            assert tick()[2] == "a run is at work"


@dg.op
def audit_that_blocks() -> None:
    raise dg.Failure("a blocking check failed")


@dg.job
def withheld() -> None:
    audit_that_blocks()


@pytest.fixture
def released(sample_home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A home with landing files and a release up to 17 September 2025, without its warehouse."""
    home = Home(tmp_path)
    shutil.copytree(sample_home.landing, home.landing)
    shutil.copytree(sample_home.published.parent, home.published.parent, symlinks=True)
    monkeypatch.setenv("CLOSING_BELL_HOME", str(tmp_path))
    return home


def overdue(
    definitions: dg.Definitions, instance: dg.DagsterInstance, now: datetime
) -> tuple[str | None, str | None]:
    """What the sensor says at a time: the key of the run that it requests, or why it does not."""
    sensor = definitions.resolve_sensor_def("overdue_nights")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(calendar, "now_in_hong_kong", lambda: now)
        with dg.build_sensor_context(instance=instance, definitions=definitions) as context:
            data = sensor.evaluate_tick(context)
    (key,) = [request.run_key for request in data.run_requests or []] or [None]
    return key, data.skip_message


def test_a_night_that_nobody_requested_is_overdue_an_hour_after_it_was_due(
    definitions: dg.Definitions, released: Home
) -> None:
    def at(clock: str) -> datetime:
        return datetime.fromisoformat(f"2025-09-18T{clock}").replace(tzinfo=calendar.HONG_KONG)

    with dg.DagsterInstance.ephemeral() as instance:
        assert overdue(definitions, instance, at("18:59")) == (None, "2025-09-17 is released")
        assert overdue(definitions, instance, at("19:00")) == ("2025-09-18, attempt 1", None)
        with released.writer_lock():
            assert overdue(definitions, instance, at("19:00")) == (None, "a run is at work")


def test_a_night_is_requested_again_when_its_run_was_lost_or_failed(
    definitions: dg.Definitions, released: Home
) -> None:
    now = calendar.now_in_hong_kong()
    later = now + timedelta(minutes=20)
    with dg.DagsterInstance.ephemeral() as instance:
        key, _ = overdue(definitions, instance, now)
        night = (key or "").partition(",")[0]
        partition = {"dagster/partition": night}

        def attempt(status: dg.DagsterRunStatus) -> str:
            return create_run_for_test(instance, "nightly", tags=partition, status=status).run_id

        lost = attempt(dg.DagsterRunStatus.STARTED)
        assert overdue(definitions, instance, now) == (None, f"{night} is requested")
        with released.writer_lock():
            assert overdue(definitions, instance, later) == (None, "a run is at work")
        assert overdue(definitions, instance, later) == (f"{night}, attempt 2", None)
        (run,) = instance.get_runs(dg.RunsFilter(run_ids=[lost]))
        assert run.status == dg.DagsterRunStatus.FAILURE
        (failed,) = instance.all_logs(lost, of_type=dg.DagsterEventType.RUN_FAILURE)
        assert failed.dagster_event
        assert "its process is gone" in reason_of(failed.dagster_event)

        attempt(dg.DagsterRunStatus.FAILURE)
        assert overdue(definitions, instance, later) == (f"{night}, attempt 3", None)
        attempt(dg.DagsterRunStatus.FAILURE)
        _, why = overdue(definitions, instance, later)
        assert why == f"{night} failed 3 times; the next evening tries again"
        attempt(dg.DagsterRunStatus.CANCELED)
        assert overdue(definitions, instance, later)[1] == f"somebody cancelled the run of {night}"


def test_an_alert_of_a_wrong_setting_is_sent_without_a_link(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLOSING_BELL_HOME", str(tmp_path))
    monkeypatch.setenv("CLOSING_BELL_UI_URL", "http://localhost:3000/")
    assert run_page("1") == "http://localhost:3000/runs/1"
    settings = Home(tmp_path).config / "settings.yaml"
    settings.parent.mkdir()
    settings.write_text("keep_releases: none\n")
    assert run_page("1") is None


def test_each_table_says_how_many_rows_it_has_and_which_file_makes_it(
    definitions: dg.Definitions, sample_home: Home, sample: duckdb.DuckDBPyConnection
) -> None:
    graph = definitions.resolve_asset_graph()
    with dg.DagsterInstance.from_config(str(sample_home.dagster)) as instance:
        for mart in ("index_performance", "security_performance", "dim_index"):
            key = dg.AssetKey(["main", mart])
            event = instance.get_latest_materialization_event(key)
            assert event
            assert event.asset_materialization
            (rows,) = sample.execute(f"select count(*) from main.{mart}").fetchone() or ()
            assert event.asset_materialization.metadata["dagster/row_count"].value == rows
    for key, file in (
        (dg.AssetKey(["main", "index_performance"]), "index_performance.sql"),
        (dg.AssetKey(["feed", "wsj_index"]), "wsj_index.yaml"),
    ):
        (reference,) = graph.get(key).metadata["dagster/code_references"].code_references
        assert Path(reference.file_path).is_file()
        assert Path(reference.file_path).name == file


def test_a_run_from_a_shell_is_listed_on_the_page_of_its_job(sample_home: Home) -> None:
    """By the tag that Dagster gives the runs of its own schedules."""
    with dg.DagsterInstance.from_config(str(sample_home.dagster)) as instance:
        of_the_page = {".dagster/repository": "__repository__@closing-bell"}
        (run,) = instance.get_runs(dg.RunsFilter(job_name="history", tags=of_the_page))
    assert run.status == dg.DagsterRunStatus.SUCCESS
