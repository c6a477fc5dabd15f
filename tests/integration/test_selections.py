"""A run of any part of the house, as a click in the UI starts it: a release is of one state.

Belongs here: what a run of some assets may change. Does not belong here: whole runs
(`test_runs.py`), sequences of parts drawn by lot (`tests/proof/any_selection.py`).
"""

from collections.abc import Callable, Iterator
from datetime import date, time

import dagster as dg
import pytest

from dagster_project.release.read import list_releases, published_release
from dagster_project.warehouse.connection import connect
from tests.integration.desk import Desk

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

RELEASE = dg.AssetKey(["published", "closing_bell"])
HSI_CLOSE = """
    select round(close, 2)::DOUBLE from main.index_performance
    where symbol = 'HSI' and trade_date = '2025-09-17'"""

Materialize = Callable[..., dg.ExecuteInProcessResult]


@pytest.fixture
def materialize(definitions: dg.Definitions, released_desk: Desk) -> Iterator[Materialize]:
    """Materialize some assets with their checks, as the UI does; the instance is kept."""
    job = definitions.resolve_implicit_global_asset_job_def()
    with dg.DagsterInstance.get() as instance:

        def run(*keys: dg.AssetKey, day: str | None = None) -> dg.ExecuteInProcessResult:
            return job.execute_in_process(
                instance=instance,
                asset_selection=[*keys],
                partition_key=day,
                raise_on_error=False,
            )

        yield run


def marts(definitions: dg.Definitions) -> list[dg.AssetKey]:
    graph = definitions.resolve_asset_graph()
    return [key for key in graph.get_all_asset_keys() if graph.get(key).group_name == "marts"]


def models(definitions: dg.Definitions) -> list[dg.AssetKey]:
    graph = definitions.resolve_asset_graph()
    groups = {"seeds", "staging", "intermediate", "marts", "audit"}
    return [key for key in graph.get_all_asset_keys() if graph.get(key).group_name in groups]


def failure(result: dg.ExecuteInProcessResult) -> str:
    (event,) = (event for event in result.all_events if event.is_step_failure)
    return str(event.step_failure_data.user_failure_data.description)  # type: ignore[union-attr]


def correct(desk: Desk) -> float:
    """Change the close of the Hang Seng of 17 September in its file; returns the new close."""
    file = desk.home.landing / "wsj_index" / "HSI.csv"
    lines = file.read_text().splitlines()
    (number,) = (n for n, line in enumerate(lines) if line.startswith("09/17/25"))
    *prices, close = lines[number].split(",")
    corrected = float(close) + 1
    lines[number] = ",".join([*prices, f"{corrected:.2f}"])
    desk.at("2025-09-17", time(20, 0)).put("wsj_index/HSI.csv", "", lines)
    return corrected


def test_what_was_read_and_not_built_is_not_released(
    released_desk: Desk, materialize: Materialize
) -> None:
    """Two clicks once published a mart with the old close, and lost the correction for good."""
    ((before,),) = released_desk.ask(HSI_CLOSE)
    corrected = correct(released_desk)
    assert materialize(dg.AssetKey(["feed", "wsj_index"])).success
    published = published_release(released_desk.home)

    refused = materialize(RELEASE)
    assert not refused.success
    assert "not all built from what ingest read last" in failure(refused)
    assert "run the job nightly" in failure(refused)
    assert published_release(released_desk.home) == published
    assert released_desk.ask(HSI_CLOSE) == [(before,)]

    released_desk.nightly("2025-09-17")
    assert released_desk.ask(HSI_CLOSE) == [(corrected,)]


def test_what_was_built_and_not_audited_is_not_released(
    released_desk: Desk, materialize: Materialize, definitions: dg.Definitions
) -> None:
    from dagster_project.defs.transform import transform

    corrected = correct(released_desk)
    published = published_release(released_desk.home)
    assert materialize(dg.AssetKey(["feed", "wsj_index"])).success
    of_the_models = definitions.resolve_implicit_global_asset_job_def().get_subset(
        asset_selection={*models(definitions)}, asset_check_selection={*transform.check_keys}
    )
    with dg.DagsterInstance.get() as instance:
        assert of_the_models.execute_in_process(instance=instance).success
    refused = materialize(RELEASE)
    assert "the audit has not looked at these tables" in failure(refused)
    assert published_release(released_desk.home) == published

    # With the checks of all marts, in whatever order, the same state may be released.
    assert materialize(*models(definitions)).success
    assert materialize(RELEASE).success
    assert released_desk.ask(HSI_CLOSE) == [(corrected,)]
    assert "Nothing new" in released_desk.nightly("2025-09-17")


def test_one_mart_can_be_materialized_with_its_checks(
    released_desk: Desk, materialize: Materialize
) -> None:
    result = materialize(dg.AssetKey(["main", "index_performance"]))
    assert result.success
    checks = {check.check_name for check in result.get_asset_check_evaluations()}
    assert "moves_unusual" in checks  # of the audit
    assert "index_figures_agree" in checks  # of the models
    assert len(list_releases(released_desk.home)) == 1

    correct(released_desk)
    assert materialize(dg.AssetKey(["feed", "wsj_index"])).success
    partly = materialize(dg.AssetKey(["main", "index_performance"]))
    assert partly.success
    # Tables of two states prove nothing: the checks keep what they found last.
    kept = {check.check_name for check in partly.get_asset_check_evaluations()}
    assert "moves_unusual" in kept
    with connect(released_desk.home.warehouse, read_only=True) as con:
        assert con.execute("select count(*) from raw.pending_rebuild").fetchone() == (1,)


def test_a_release_again_with_nothing_changed_is_no_new_release(
    released_desk: Desk, materialize: Materialize, definitions: dg.Definitions
) -> None:
    released = list_releases(released_desk.home)
    assert materialize(RELEASE).success
    assert materialize(*marts(definitions)).success
    assert materialize(RELEASE).success
    assert list_releases(released_desk.home) == released


def test_one_partition_of_a_feed_does_not_move_the_clock(
    released_desk: Desk, materialize: Materialize, definitions: dg.Definitions
) -> None:
    graph = definitions.resolve_asset_graph()
    daily = next(
        key
        for key in graph.get_all_asset_keys()
        if key.path[0] == "feed" and graph.get(key).partitions_def
    )
    released_desk.at("2025-09-19").deliver()
    assert materialize(daily, day="2025-09-19").success
    assert materialize(daily, RELEASE, day="2025-09-19").success
    with connect(released_desk.home.warehouse, read_only=True) as con:
        assert con.execute("select max(to_date) from raw.asked_dates").fetchone() == (
            date(2025, 9, 17),
        )
    released_desk.nightly()
    assert released_desk.covered() == [("2025-09-17", "2025-09-19")]
