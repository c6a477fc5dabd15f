"""A small draw of the corruption proof: kinds of every group, each through the whole pipeline.

`python -m tests.proof.corruption` plays every kind at many places.
"""

import random
from pathlib import Path

import pytest

from dagster_project.home import Home
from dagster_project.ingest.feed_catalog import load_feeds
from tests.conftest import BuiltOnce
from tests.proof.clean_files import read_folder
from tests.proof.corruption import Case, Stage, failures, run_case
from tests.proof.corruptions import KINDS, PLACED, Landing
from tests.proof.corruptions.sheet import Sheet

KINDS_A_GROUP = 3


def drawn() -> list[tuple[str, int]]:
    """Kinds of each group and a seed for each, the same in every run."""
    rng = random.Random("corruptions")
    chosen = []
    for group in ("files", "numbers", "time", "meaning"):
        names = [kind.name for kind in KINDS.values() if kind.group == group and not kind.unseeable]
        chosen += [(name, rng.randrange(1000)) for name in rng.sample(names, KINDS_A_GROUP)]
    return chosen


@pytest.fixture(scope="session")
def stage(built_once: BuiltOnce, tmp_path_factory: pytest.TempPathFactory) -> Stage:
    """The clean nights, built once; each test process plays in a folder of its own."""

    def build(home: Home) -> None:
        home.root.mkdir()
        Stage(home.root, home.root / "work").build()

    home = built_once("corruption", build)
    played = Stage(home.root, tmp_path_factory.mktemp("work"))
    played.open()
    return played


@pytest.mark.parametrize(("kind", "seed"), drawn())
def test_corruption_is_seen(stage: Stage, kind: str, seed: int) -> None:
    case = run_case(stage, kind, seed)
    assert not failures([case])


def test_what_cannot_be_seen_is_silent(stage: Stage) -> None:
    """So the proof can tell silence; a check that sees this kind makes its reason untrue."""
    case = run_case(stage, "main_board_includes_gem", 0)
    assert case.outcome == "SILENT"
    assert case.said_by == ()
    assert "market_turnover" in case.differing_tables


def test_what_changes_no_figure_is_harmless(stage: Stage) -> None:
    case = run_case(stage, "carriage_returns", 0)
    assert case.outcome == "harmless"
    assert case.differing_tables == ()


def test_silence_is_a_failure() -> None:
    silent = Case(
        "price_zero", 0, "a price is 0", "SILENT", differing_tables=("index_performance",)
    )
    lost = Case("price_zero", 0, "a price is 0", "refused", lines_lost_in=("wsj_index/HSI.csv",))
    crashed = Case("price_zero", 0, "a price is 0", "CRASHED")
    unseeable = Case("main_board_includes_gem", 0, "a total", "SILENT")
    assert [len(failures([case])) for case in (silent, lost, crashed, unseeable)] == [1, 1, 1, 0]


@pytest.fixture(scope="session")
def landing(stage: Stage) -> Landing:
    return stage.landing


@pytest.mark.parametrize("name", sorted(KINDS))
def test_kind_is_the_same_for_a_seed_and_changes_something(landing: Landing, name: str) -> None:
    first, again = (KINDS[name].corrupt(landing, seed=3) for _ in range(2))
    assert first == again
    assert first.what
    changed = {
        path for path, content in first.files.items() if content != landing.tonight.get(path)
    }
    assert changed or first.overrides


def test_sheets_give_back_the_bytes(landing: Landing) -> None:
    """A corruption changes what it means to change, and nothing else."""
    specs = load_feeds().feeds
    for path, content in landing.tonight.items():
        if not path.endswith(".xlsx"):
            assert Sheet(specs[path.split("/")[0]], content).render() == content, path


def test_every_group_of_the_catalogue_has_kinds() -> None:
    assert {kind.group for kind in KINDS.values()} == {"files", "numbers", "time", "meaning"}
    assert len(KINDS) >= 45
    assert KINDS.keys() >= set(PLACED)


def test_reading_a_folder_gives_paths_below_it(tmp_path: Path) -> None:
    (tmp_path / "feed").mkdir()
    (tmp_path / "feed" / "a.csv").write_bytes(b"1")
    assert read_folder(tmp_path) == {"feed/a.csv": b"1"}
