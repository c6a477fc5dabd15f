"""What an operator sets: `config/settings.yaml` of the home, or environment variables.

Belongs here: every setting of the program, its default and its meaning. Does not belong here: the
home itself (`home.py`), channels of alerts (`alerts/settings.py`), what a feed or a check does.
"""

import os
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from dagster_project.config_files import read_yaml
from dagster_project.home import Home


class SettingsError(ValueError):
    """A setting that cannot be used; the message names its place and what it must be."""


class Settings(BaseModel):
    """The content of `config/settings.yaml`. A variable `CLOSING_BELL_<NAME>` counts over it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    keep_releases: int = Field(
        default=7,
        ge=2,
        description="releases that stay in published/releases/; each is a whole file",
    )
    keep_runs_days: int = Field(
        default=400,
        ge=7,
        description="days that Dagster remembers a run, with its events and logs",
    )
    memory: str = Field(
        default="3.5GB",
        pattern=r"^\d+(\.\d+)? ?[KMGT]i?B$",
        description="the most that dbt may take",
    )
    colours: Literal["hong_kong", "western"] = Field(
        default="hong_kong", description="hong_kong: red is up; western: green is up"
    )
    ui_url: str | None = Field(
        default=None,
        pattern=r"^https?://[^/\s]",
        description="where the UI is, for links in alerts",
    )


def load_settings(home: Home) -> Settings:
    """The settings of a home.

    Raises:
        SettingsError: the file or a variable cannot be used; one line per mistake.
    """
    path = home.config / "settings.yaml"
    given: dict[str, object] = {}
    if path.exists():
        written = read_yaml(
            path,
            Settings,
            SettingsError,
            otherwise=f"has no setting; there are {', '.join(Settings.model_fields)}",
            unknown_key=f"is no setting; there are {', '.join(Settings.model_fields)}",
        )
        given = written.model_dump(exclude_unset=True)
    for name in Settings.model_fields:
        variable = f"CLOSING_BELL_{name.upper()}"
        if value := os.environ.get(variable):
            try:
                given[name] = getattr(Settings.model_validate({name: value}), name)
            except ValueError as error:
                what = Settings.model_fields[name].description
                raise SettingsError(f"{variable} is {value!r}; {name} is {what}") from error
    return Settings.model_validate(given)
