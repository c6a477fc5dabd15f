"""The policy of the audit: which rule decides, and what cannot be a policy."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from dagster_project.audit.policy import POLICY, Policy, PolicyError, load_policies
from dagster_project.warehouse.dbt_run import DBT_PROJECT


def policy(**said: object) -> Policy:
    usual = {
        "asset": "main/t",
        "holds": "all is well",
        "to_do": "look",
        "severity": "warn",
        "confidence": "certain",
    }
    return Policy.model_validate(usual | said)


def test_a_check_may_block_where_any_rule_of_it_says_so() -> None:
    assert policy(record_kinds={"index_close": "block"}).may_block
    assert policy(severity="block", adjusted="warn").may_block
    assert not policy(record_kinds={"index_close": "warn"}).may_block


def test_every_check_says_what_holds_and_what_to_do() -> None:
    tables = {path.stem for path in (DBT_PROJECT / "models/marts").rglob("*.sql")}
    for name, said in load_policies().items():
        assert said.holds.endswith("."), name
        assert said.to_do[0].islower(), name
        assert said.asset.removeprefix("main/") in tables, name


Checks = dict[str, dict[str, Any]]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda checks: checks.update(lonely=checks["feeds_usable"] | {"name": "lonely"}),
            "lonely",
        ),
        (lambda checks: checks.update(again=checks["feeds_usable"]), "feeds_usable"),
        (lambda checks: checks.pop("feeds_usable"), "feeds_usable"),
        (
            lambda checks: checks["feeds_usable"]["config"]["meta"].update(severity="maybe"),
            r":\d+: models.0.config.meta.severity: ",
        ),
        (
            lambda checks: checks["feeds_usable"]["config"]["meta"].update(
                record_kinds={"dream": "warn"}
            ),
            r":\d+: models.0.config.meta.record_kinds: no record kind is named dream",
        ),
        (
            lambda checks: checks["feeds_usable"]["config"]["meta"].update(sevirity="warn"),
            "a typo",
        ),
        (
            lambda checks: checks["feeds_usable"]["config"]["meta"].update(scope="sessions"),
            r"feeds_usable: a view that keeps to is_changed\(\) has the scope `securities`, "
            r"any other that keeps to changed_from\(\) has `sessions`, .* here it is 'sessions'",
        ),
        (
            lambda checks: checks["moves_unusual"]["config"]["meta"]["settings"].update(index_pt=1),
            "index_pt",
        ),
        (
            lambda checks: checks["moves_unusual"]["config"]["meta"]["settings"].clear(),
            "index_pct",
        ),
    ],
)
def test_a_policy_that_cannot_be_used_is_reported(
    change: Callable[[Checks], object], message: str, tmp_path: Path
) -> None:
    for view in POLICY.parent.glob("*.sql"):
        shutil.copy(view, tmp_path)
    content = yaml.safe_load(POLICY.read_text(encoding="utf-8"))
    checks = {entry["name"]: entry for entry in content["models"]}
    change(checks)
    path = tmp_path / "checks.yaml"
    text = yaml.safe_dump({"version": 2, "models": list(checks.values())}, sort_keys=False)
    path.write_text(text, encoding="utf-8")
    with pytest.raises(PolicyError, match=message) as raised:
        load_policies(path)
    assert str(path) in str(raised.value)
