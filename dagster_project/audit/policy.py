"""The policy of the audit: what each check is about, and what its failure does.

Belongs here: reading `checks.yaml`. Does not belong here: waivers, running the checks.
"""

import re
from functools import cache
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, RootModel, field_validator

from dagster_project.audit.results import Severity
from dagster_project.config_files import read_yaml
from dagster_project.market.record_kinds import RECORD_KINDS

FOLDER = Path(__file__).parent
POLICY = FOLDER / "checks.yaml"


class PolicyError(ValueError):
    """`checks.yaml` or `waivers.csv` cannot be used; the message names file and line."""


class Policy(BaseModel):
    """What `checks.yaml` says of a check."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    asset: str = Field(pattern=r"^main/\w+$", description="the table that it is about")
    holds: str = Field(description="what is true where the check passes")
    to_do: str = Field(description="what a person does about a row that it finds")
    severity: Severity
    feeds: dict[str, Literal["block", "warn", "off"]] = Field(default_factory=dict)
    record_kinds: dict[str, Literal["block", "warn", "off"]] = Field(default_factory=dict)
    settings: dict[str, float] = Field(default_factory=dict)

    @field_validator("record_kinds")
    @classmethod
    def _are_known(cls, kinds: dict[str, Any]) -> dict[str, Any]:
        if unknown := kinds.keys() - RECORD_KINDS.keys():
            raise ValueError(f"no record kind is named {', '.join(sorted(unknown))}")
        return kinds

    def severity_of(self, found: dict[str, Any]) -> Literal["block", "warn", "off"]:
        """The rule that fits a row best: its feed's, else its record kind's, else the check's."""
        by_feed = self.feeds.get(found.get("feed") or "")
        return by_feed or self.record_kinds.get(found.get("record_kind") or "") or self.severity

    @property
    def may_block(self) -> bool:
        return "block" in {self.severity, *self.feeds.values(), *self.record_kinds.values()}


class _Policies(RootModel[dict[str, Policy]]):
    pass


@cache
def load_policies(path: Path = POLICY) -> dict[str, Policy]:
    """Every check by name, in the order of `checks.yaml`.

    Raises:
        PolicyError: a policy that cannot be used, a check without a policy or a query, or a setting
            that its query does not know.
    """
    policies = read_yaml(
        path,
        _Policies,
        PolicyError,
        otherwise="names no check",
        unknown_key="is not a key of a policy; a typo?",
    ).root
    queries = {file.stem for file in path.parent.glob("*.sql")}
    if odd := queries ^ policies.keys():
        raise PolicyError(
            f"{path}: every check has a policy here and a query in <check>.sql: {odd}"
        )
    for name, policy in policies.items():
        used = parameters(query(name, path.parent)) - {"changed_from"}
        if odd := used ^ policy.settings.keys():
            raise PolicyError(
                f"{path}: {name}: every setting here is a $name in {name}.sql, and every $name a "
                f"setting: {', '.join(sorted(odd))}"
            )
    return policies


def query(name: str, folder: Path = FOLDER) -> str:
    return (folder / f"{name}.sql").read_text(encoding="utf-8")


def parameters(text: str) -> set[str]:
    return set(re.findall(r"\$(\w+)", text))
