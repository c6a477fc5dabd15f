"""The policy of the audit: what each check is about, and what its failure does.

Belongs here: reading `checks.yaml`, which stands beside the views in `dbt_project/models/audit/`
and gives dbt their properties. Does not belong here: waivers, running the checks.
"""

import re
from collections import Counter
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from dagster_project.audit.results import Severity
from dagster_project.config_files import read_yaml
from dagster_project.market.record_kinds import RECORD_KINDS
from dagster_project.warehouse.dbt_run import DBT_PROJECT

POLICY = DBT_PROJECT / "models" / "audit" / "checks.yaml"

Confidence = Literal["certain", "likely", "possible"]
# What a view looks at: the sessions that changed; of these only the securities that changed; all
# there is; or what changed since the release.
Scope = Literal["sessions", "securities", "everything", "changes"]


class PolicyError(ValueError):
    """`checks.yaml` or `waivers.csv` cannot be used; the message names file and line."""


class _Rules(BaseModel):
    """What `checks.yaml` says of a check under `config: meta`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    asset: str = Field(pattern=r"^main/\w+$", description="the table that it is about")
    to_do: str = Field(description="what a person does about a row that it finds")
    confidence: Confidence
    severity: Severity
    record_kinds: dict[str, Severity] = Field(default_factory=dict)
    adjusted: Severity | None = None
    scope: Scope = "sessions"
    settings: dict[str, float] = Field(default_factory=dict)

    @field_validator("record_kinds")
    @classmethod
    def _are_known(cls, kinds: dict[str, Any]) -> dict[str, Any]:
        if unknown := kinds.keys() - RECORD_KINDS.keys():
            raise ValueError(f"no record kind is named {', '.join(sorted(unknown))}")
        return kinds


class Policy(_Rules):
    """What `checks.yaml` says of a check."""

    holds: str = Field(description="what is true where the check passes")

    @property
    def may_block(self) -> bool:
        return "block" in {self.severity, self.adjusted, *self.record_kinds.values()}


class _Config(BaseModel):
    model_config = ConfigDict(extra="forbid")

    meta: _Rules


class _Entry(BaseModel):
    """The properties of a view, as dbt reads them too."""

    model_config = ConfigDict(extra="forbid")

    name: str
    description: str
    config: _Config


class _Properties(BaseModel):
    model_config = ConfigDict(extra="forbid")

    version: Literal[2]
    models: list[_Entry]


@cache
def load_policies(path: Path = POLICY) -> dict[str, Policy]:
    """Every check by name, in the order of `checks.yaml`.

    Raises:
        PolicyError: a policy that cannot be used, a check without a policy or a view, or a setting
            that its view does not use.
    """
    entries = read_yaml(
        path,
        _Properties,
        PolicyError,
        otherwise="names no check",
        unknown_key="is not a key of a check; a typo?",
    ).models
    policies = {
        entry.name: Policy(holds=entry.description, **entry.config.meta.model_dump())
        for entry in entries
    }
    views = {view.stem for view in path.parent.glob("*.sql")}
    if odd := (views ^ policies.keys()) or _repeated(entry.name for entry in entries):
        raise PolicyError(
            f"{path}: every check has one entry here and a view in <check>.sql: "
            f"{', '.join(sorted(odd))}"
        )
    for name, policy in policies.items():
        view = (path.parent / f"{name}.sql").read_text(encoding="utf-8")
        used = set(re.findall(r"\bsetting\('(\w+)'\)", view))
        if odd := used ^ policy.settings.keys():
            raise PolicyError(
                f"{path}: {name}: every setting here is used in {name}.sql, and every setting used "
                f"there is one here: {', '.join(sorted(odd))}"
            )
        scopes = {"sessions"} if "changed_from()" in view else {"everything", "changes"}
        if "is_changed(" in view:
            scopes = {"securities"}
        if policy.scope not in scopes:
            raise PolicyError(
                f"{path}: {name}: a view that keeps to is_changed() has the scope `securities`, "
                f"any other that keeps to changed_from() has `sessions`, and one that keeps to "
                f"neither has neither of them; here it is {policy.scope!r}"
            )
    return policies


def _repeated(names: Iterable[str]) -> set[str]:
    return {name for name, times in Counter(names).items() if times > 1}
