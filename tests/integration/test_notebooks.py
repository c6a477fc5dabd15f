"""The notebooks run from their first cell to their last, on the sample, and show something."""

import ast
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from dagster_project.home import PROJECT_ROOT, Home
from tests.integration.test_report import home_beside

NOTEBOOKS = sorted((PROJECT_ROOT / "notebooks").glob("*.ipynb"))


def shown(code: str, names: dict[str, Any]) -> Any:
    """Run a cell; the value of its last line, which a notebook would show."""
    tree = ast.parse(code)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, "<cell>", "exec"), names)
    return eval(compile(ast.Expression(last.value), "<cell>", "eval"), names) if last else None  # type: ignore[attr-defined]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs(
    path: Path, sample_home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A path of its own: this process holds the sample open, with other settings.
    home = home_beside(sample_home.published, tmp_path / "home")
    monkeypatch.setenv("CLOSING_BELL_HOME", str(home.root))
    names: dict[str, Any] = {}
    tables = 0
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        if cell["cell_type"] != "code":
            continue
        # What a notebook has shown before does not belong into the repository.
        assert cell["outputs"] == []
        value = shown("".join(cell["source"]), names)
        if isinstance(value, pd.DataFrame):
            tables += not value.empty
    assert tables >= 6
