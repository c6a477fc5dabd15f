"""The settings of an operator: a file in the home, over which variables count."""

from pathlib import Path

import pytest

from dagster_project.home import Home
from dagster_project.settings import Settings, SettingsError, load_settings


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"CLOSING_BELL_{name.upper()}", raising=False)


def written(folder: Path, text: str) -> Home:
    (folder / "config").mkdir()
    (folder / "config" / "settings.yaml").write_text(text)
    return Home(folder)


def test_without_a_file_each_has_its_default(tmp_path: Path) -> None:
    assert load_settings(Home(tmp_path)) == Settings()


def test_a_variable_counts_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = written(tmp_path, "keep_releases: 30\ncolours: western\n")
    assert load_settings(home) == Settings(keep_releases=30, colours="western")
    monkeypatch.setenv("CLOSING_BELL_KEEP_RELEASES", "3")
    assert load_settings(home) == Settings(keep_releases=3, colours="western")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("keep_releases: 1\n", ":1: keep_releases: Input should be greater than or equal to 2"),
        (
            "\ncolors: western\n",
            ":2: colors: is no setting; there are keep_releases, keep_runs_days",
        ),
        ("memory: much\n", ":1: memory: String should match pattern"),
        ("western\n", ":1: has no setting; there are keep_releases"),
    ],
)
def test_a_mistake_is_told_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings(written(tmp_path, text))
    assert f"settings.yaml{said}" in str(caught.value)


def test_a_wrong_variable_is_told_by_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLOSING_BELL_COLOURS", "purple")
    with pytest.raises(SettingsError, match="CLOSING_BELL_COLOURS is 'purple'; colours is hong"):
        load_settings(Home(tmp_path))
