"""A night on which one market's file does not come, one is cut off and one is in another unit.

The rest is released; the three are named in what `make nightly` prints, in the published tables
and in what Dagster keeps for its UI.
"""

import shutil
import subprocess
import sys
from pathlib import Path

import dagster as dg
import duckdb
import pytest

from dagster_project.audit.policy import load_policies
from dagster_project.home import PROJECT_ROOT, Home
from dagster_project.warehouse.connection import connect
from tests.cli_process import run_cli
from tests.conftest import BuiltOnce

MISSING = "hkex_turnover/main_2021_2025.json"
TRUNCATED = "tushare_daily/20250917.csv"
IN_SHARES = "eastmoney_a_share/600519.csv"


def generate(landing: Path, through: str) -> None:
    subprocess.run(
        [sys.executable, "seeds/sample/generate.py", str(landing), "--through", through],
        cwd=PROJECT_ROOT,
        check=True,
    )


@pytest.fixture(scope="module")
def bad_night(built_once: BuiltOnce) -> tuple[Home, str]:
    """The home after the night, and what the shell said."""
    home = built_once("bad_night", _build)
    return home, (home.root / "said").read_text(encoding="utf-8")


def _build(home: Home) -> None:
    generate(home.landing, "2025-09-16")
    (home.landing / "tushare_index_daily").mkdir(exist_ok=True)
    done = run_cli(home, "backfill", "2025-07-01", "2025-09-16")
    assert done.returncode == 0, done.stderr
    evening_before = home.root / "before"
    shutil.copytree(home.landing, evening_before)
    generate(home.landing, "2025-09-17")
    shutil.copy2(evening_before / MISSING, home.landing / MISSING)

    truncated = home.landing / TRUNCATED
    content = truncated.read_bytes()
    truncated.write_bytes(content[: len(content) * 2 // 3])

    header, *lines = (home.landing / IN_SHARES).read_text(encoding="utf-8").rstrip("\n").split("\n")
    at = header.split(",").index("成交量")
    rows = [line.split(",") for line in lines]
    for row in rows:
        row[at] = str(int(float(row[at]) * 100))
    text = "\n".join([header, *map(",".join, rows)]) + "\n"
    (home.landing / IN_SHARES).write_text(text, encoding="utf-8")

    done = run_cli(home, "nightly", "2025-09-17")
    assert done.returncode == 0, done.stderr
    (home.root / "said").write_text(done.stdout, encoding="utf-8")


@pytest.fixture(scope="module")
def published(bad_night: tuple[Home, str]) -> duckdb.DuckDBPyConnection:
    home, _ = bad_night
    return connect(home.published, read_only=True)


def test_the_shell_names_all_three(bad_night: tuple[Home, str]) -> None:
    _, output = bad_night
    assert "the turnover of XHKG" in output
    assert TRUNCATED in output
    assert IN_SHARES in output
    assert "release  " in output


def test_the_rest_is_released(published: duckdb.DuckDBPyConnection) -> None:
    symbols = published.execute(
        "select count(*) from index_performance where trade_date = '2025-09-17'"
    ).fetchall()
    assert symbols[0][0] >= 7
    scopes = published.execute("""
        select scope, is_complete from cross_market_turnover
        where trade_date = '2025-09-17' order by scope""").fetchall()
    assert dict(scopes)["mainland"] is True
    assert dict(scopes)["all"] is False


def test_the_published_tables_name_what_is_missing(published: duckdb.DuckDBPyConnection) -> None:
    lacking = published.execute("""
        select feed, market, status from session_coverage
        where trade_date = '2025-09-17' and status <> 'complete'""").fetchall()
    # Its feed is due once a month.
    assert not [row for row in lacking if row[0] == "hkex_turnover"]
    without = published.execute("""
        select symbol from anomaly
        where check_name = 'sessions_without_figures' and trade_date = '2025-09-17'""").fetchall()
    assert without == [("XHKG",)]
    assert {("tushare_daily", "XSHG"), ("tushare_daily", "XSHE")} & {row[:2] for row in lacking}


def test_the_published_tables_name_what_is_cut_off_and_what_is_in_another_unit(
    published: duckdb.DuckDBPyConnection,
) -> None:
    rejected = dict(published.execute("select file, reason from rejected_row").fetchall())
    assert TRUNCATED in rejected
    (status, reason) = published.execute(
        "select status, reason from file_load where file = ? and status = 'set_aside'", [IN_SHARES]
    ).fetchall()[0]
    assert status == "set_aside"
    assert "turnover" in reason
    assert "volume" in reason
    found = published.execute("""
        select found.file from (
            select unnest(offending_rows) as found from release_check where not passed)
        where found.file is not null""").fetchall()
    assert {(TRUNCATED,), (IN_SHARES,)} <= set(found)


Results = dict[str, dg.AssetCheckEvaluation | None]


def last_results(instance: dg.DagsterInstance) -> Results:
    """What the UI shows of every check that the last run planned: a result, or that it has none."""
    planned = instance.all_logs(
        instance.get_runs(limit=1)[0].run_id,
        of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION_PLANNED,
    )
    keys = [entry.get_dagster_event().asset_check_planned_data.asset_check_key for entry in planned]
    found: Results = {}
    for key, summary in instance.event_log_storage.get_asset_check_summary_records(keys).items():
        record = summary.last_check_execution_record
        event = record.event.dagster_event if record and record.event else None
        is_result = event and event.event_type == dg.DagsterEventType.ASSET_CHECK_EVALUATION
        found[key.name] = event.asset_check_evaluation_data if event and is_result else None
    return found


def test_dagster_shows_new_and_standing_apart_until_the_next_release(
    bad_night: tuple[Home, str],
    published: duckdb.DuckDBPyConnection,
    definitions: dg.Definitions,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What stands since the history was loaded passes, and says how much it is."""
    home, _ = bad_night
    with dg.DagsterInstance.from_config(str(home.dagster)) as instance:
        results = last_results(instance)
        assert None not in results.values()  # also of seeds, which a night does not test again
        rows = published.execute(
            """
            select check_name, rows_new, rows_found - rows_new from release_check
            where check_name in (select unnest(?))""",
            [[*load_policies()]],
        ).fetchall()
        for name, new, standing in rows:
            shown = results[name]
            assert shown
            assert shown.passed == (new == 0)
            assert shown.severity == dg.AssetCheckSeverity.WARN or shown.passed
            assert (shown.metadata["rows new"].value, shown.metadata["rows standing"].value) == (
                new,
                standing,
            )
            if standing and not new:
                assert f"nothing new; {standing} stand since" in str(shown.description)
                assert f"`closing-bell anomalies {name}` lists them" in str(shown.description)
        assert {"files_set_aside": (1, 0), "reference_previous_close": (0, 1)}.items() <= {
            name: (new, standing) for name, new, standing in rows
        }.items()

        # A run with nothing new changes none of it.
        monkeypatch.setenv("CLOSING_BELL_HOME", str(home.root))
        run = definitions.resolve_job_def("nightly").execute_in_process(
            instance=instance, partition_key="2025-09-17"
        )
        assert run.success
        assert not [event for event in run.all_events if event.is_step_success][1:]
        assert instance.get_runs(limit=1)[0].run_id == run.run_id
        assert last_results(instance) == results


def test_dagster_keeps_the_three_for_its_ui(bad_night: tuple[Home, str]) -> None:
    home, _ = bad_night
    with dg.DagsterInstance.from_config(str(home.dagster)) as instance:
        records = instance.get_records_for_run(
            instance.get_runs(limit=1)[0].run_id,
            of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION,
        ).records
    found = [
        record.event_log_entry.get_dagster_event().asset_check_evaluation_data for record in records
    ]
    told = " ".join(check.description or "" for check in found if not check.passed)
    assert "the turnover of XHKG" in told
    assert TRUNCATED in told
    assert IN_SHARES in told
