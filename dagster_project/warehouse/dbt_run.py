"""Running dbt inside this process.

Belongs here: invoking dbt, its manifest, its results as plain values. Does not belong here:
Dagster (`defs/transform.py`), which models there are (`dbt_project/`).

dbt runs inside this process because a process of its own takes seconds to start, as long as a
whole night.
"""

import errno
import gc
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock

from dagster_project import fingerprint
from dagster_project.home import PROJECT_ROOT, Home
from dagster_project.settings import load_settings
from dagster_project.warehouse.connection import connect, dicts
from dagster_project.warehouse.state import REBUILD_ALL, Rebuild

if TYPE_CHECKING:
    from dbt.contracts.graph.manifest import Manifest

DBT_PROJECT = PROJECT_ROOT / "dbt_project"
# The number of rows that are read of those that a failed test objects to.
FAILING_ROWS = 200
# Progress is reported no more often: each report is a write of Dagster's.
SECONDS_BETWEEN_REPORTS = 5.0


class DbtFailed(RuntimeError):
    """dbt could not build; the message names the models, with dbt's own words about them."""


@dataclass(frozen=True)
class DbtTest:
    """What one dbt test found.

    `asset` is the name of the model or seed that it is about, `holds` says what is true if it
    passes, `rows` are the first rows that it objects to.
    """

    name: str
    asset: str
    holds: str
    warns_only: bool
    passed: bool
    rows_found: int
    message: str | None
    rows: Sequence[dict[str, Any]]


@dataclass(frozen=True)
class DbtResult:
    """What dbt did.

    `events` are its result events as in its JSON log, `statuses` is node name -> status.
    """

    events: list[dict[str, Any]]
    tests: list[DbtTest]
    errors: list[str]
    statuses: dict[str, str]


def manifest_path(home: Home) -> Path:
    """The path of dbt's manifest, which is written again if the project or dbt has changed.

    Raises:
        DbtFailed: the project cannot be parsed.
    """
    manifest = home.root / "dbt" / "manifest.json"
    manifest.parent.mkdir(parents=True, exist_ok=True)
    # Dagster loads its definitions in several processes at once; only one of them parses.
    with FileLock(manifest.parent / "parse.lock"):
        made_from = manifest.with_name("manifest.made_from")
        made_by = _parsed_from()
        if not made_from.exists() or made_from.read_text() != made_by:
            result = _invoke(home, ["parse"], REBUILD_ALL)
            if result.errors:
                raise DbtFailed("the dbt project cannot be parsed:\n" + "\n".join(result.errors))
            made_from.write_text(made_by)
    return manifest


def _parsed_from() -> str:
    """The fingerprint of all that decides what dbt parses."""
    return fingerprint.of_values(
        fingerprint.of_models(), fingerprint.of_audit_views(), version("dbt-core")
    )


# What this process read, by what it was parsed from. dbt itself would read it again for each
# command, and parse all of it again in each new home.
_parsed: dict[str, "Manifest"] = {}


def _parsed_project(home: Home) -> "Manifest":
    """The project as dbt parsed it.

    Raises:
        DbtFailed: the project cannot be parsed.
    """
    from dbt.constants import PARTIAL_PARSE_FILE_NAME
    from dbt.contracts.graph.manifest import Manifest
    from dbt.parser.manifest import extended_mashumuro_decoder

    parsed_from = _parsed_from()
    if parsed_from not in _parsed:
        parsed = manifest_path(home).with_name(PARTIAL_PARSE_FILE_NAME).read_bytes()
        _parsed[parsed_from] = Manifest.from_msgpack(parsed, decoder=extended_mashumuro_decoder)
    return _parsed[parsed_from]


def build(
    home: Home,
    selection: Sequence[str],
    rebuild: Rebuild,
    on_progress: Callable[[str], None] = lambda said: None,
) -> DbtResult:
    """Run `dbt build` on the warehouse, to which no connection may be open.

    Args:
        selection: dbt's selection arguments; empty for everything.
        rebuild: what is rebuilt of the tables that it selects. With `REBUILD_ALL` they are dropped
            and created, which is needed after the models changed.
        on_progress: called now and then with how far it is, in a thread of dbt.

    Raises:
        DbtFailed: the project cannot be parsed.
    """
    # Unit tests are about the models, not about tonight's data; `make test` runs them.
    arguments = [
        "--no-write-json",
        "--log-level-file",
        "none",
        "build",
        "--exclude-resource-type",
        "unit_test",
        *selection,
    ]
    arguments += ["--full-refresh"] if rebuild == REBUILD_ALL else []
    result = _invoke(home, arguments, rebuild, on_progress, _parsed_project(home))
    if result.errors:
        # Tracebacks of failed queries hold connections, and with them the file, in cycles.
        gc.collect()
    return result


def run_unit_tests(home: Home) -> dict[str, str]:
    """Run the models' unit tests on a built warehouse: test name -> status (`pass` if passed)."""
    arguments = ["--no-write-json", "test", "--select", "test_type:unit"]
    return _invoke(home, arguments, REBUILD_ALL, parsed=_parsed_project(home)).statuses


def _invoke(
    home: Home,
    arguments: Sequence[str],
    rebuild: Rebuild,
    on_progress: Callable[[str], None] = lambda said: None,
    parsed: "Manifest | None" = None,
) -> DbtResult:
    # Importing dbt takes a second, so it is done only here.
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager
    from dbt.adapters.factory import reset_adapters
    from dbt.cli.main import dbtRunner
    from dbt_common.events.functions import msg_to_dict

    events: list[dict[str, Any]] = []
    errors: list[str] = []
    reported = time.monotonic()

    def keep(message: Any) -> None:
        nonlocal reported
        if message.info.name in _RESULT_EVENTS:
            events.append(msg_to_dict(message))
            is_told = message.info.name != "LogTestResult"
            if is_told and time.monotonic() > reported + SECONDS_BETWEEN_REPORTS:
                reported = time.monotonic()
                on_progress(_how_far(message.data))
        elif message.info.level == "error":
            errors.append(message.info.msg)

    with _environment(
        CLOSING_BELL_HOME=str(home.root),
        CLOSING_BELL_MEMORY=load_settings(home).memory,
        CLOSING_BELL_REBUILD_FROM=rebuild.first.isoformat(),
        CLOSING_BELL_REBUILD_SERIES=",".join(rebuild.series),
        DBT_TARGET_PATH=str(home.root / "dbt"),
        DBT_LOG_PATH=str(home.root / "dbt" / "logs"),
    ):
        try:
            outcome = dbtRunner(parsed, callbacks=[keep]).invoke(
                [
                    "--quiet",
                    "--no-use-colors",
                    *arguments,
                    "--project-dir",
                    str(DBT_PROJECT),
                    "--profiles-dir",
                    str(DBT_PROJECT),
                ]
            )
        finally:
            # Otherwise the file would stay locked as long as this process lives.
            DuckDBConnectionManager.close_all_connections()
            reset_adapters()
    if outcome.exception:
        errors.append(str(outcome.exception))
    results = getattr(outcome.result, "results", [])
    for result in results:
        # A test that fails says something about the rows; one that cannot run says nothing.
        could_not_run = {"error"} if result.node.resource_type == "test" else {"error", "fail"}
        if result.status in could_not_run:
            errors.append(f"{result.node.name}: {result.message}")
    if any(os.strerror(errno.ENOSPC) in error for error in errors):
        # dbt reports it at length for each model; once is enough.
        errors = [f"the disk that holds {home.root} is full; free some space, then run again"]
    # One that could not run, or was passed over because its model failed, says nothing.
    tests = [
        result
        for result in results
        if result.node.resource_type == "test" and result.status not in {"error", "skipped"}
    ]
    failed = [result for result in tests if result.failures]
    rows = _failing_rows(home, failed) if failed else {}
    tests_run = [_test(result, rows.get(result.node.unique_id, ())) for result in tests]
    statuses = {result.node.name: str(result.status) for result in results}
    return DbtResult(events, tests_run, errors, statuses)


_RESULT_EVENTS = {"LogSeedResult", "LogModelResult", "LogTestResult"}


def _how_far(ended: Any) -> str:
    """What ended last, and how much of the build that makes."""
    name, seconds = ended.node_info.node_name, ended.execution_time
    return f"{ended.index} of {ended.total}: {name} ({seconds:.1f} s)"


def _test(result: Any, failing: Sequence[dict[str, Any]]) -> DbtTest:
    node = result.node
    # A generic test is attached to its model. A singular test names it in the `meta` for Dagster.
    named = node.config.meta.get("dagster", {}).get("ref", {}).get("name")
    tested = getattr(node, "attached_node", None) or named
    return DbtTest(
        name=node.name,
        asset=str(tested or (node.depends_on.nodes or ["?"])[0]).rsplit(".", 1)[-1],
        holds=(node.description or "").strip() or node.name.replace("_", " "),
        warns_only=str(node.config.severity).lower() == "warn",
        passed=result.status == "pass",
        rows_found=int(result.failures or 0),
        message=result.message,
        rows=failing,
    )


def _failing_rows(home: Home, failed: Sequence[Any]) -> dict[str, list[dict[str, Any]]]:
    """The first rows that each failed test objects to: unique_id of the test -> rows."""
    with connect(home.warehouse, read_only=True) as con:
        return {
            result.node.unique_id: dicts(
                con, f"from ({result.node.compiled_code}) limit {FAILING_ROWS}"
            )
            for result in failed
        }


@contextmanager
def _environment(**variables: str) -> Iterator[None]:
    """Set environment variables for the duration of a `with` block."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
