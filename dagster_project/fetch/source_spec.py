"""The spec of a source: what a YAML file in `sources/` can say, and which sources are switched on.

Belongs here: the keys of a spec and of `config/sources.yaml`, and their validation. Does not belong
here: asking for a file (`download.py`), what an answer is (`judge.py`), what a file means (feeds).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator

from dagster_project.config_files import TIME_OF_DAY, read_yaml
from dagster_project.home import PROJECT_ROOT
from dagster_project.market.symbols import MARKET_SUFFIXES

SOURCES_FOLDER = PROJECT_ROOT / "dagster_project" / "sources"

ClockTime = Annotated[str, StringConstraints(pattern=rf"^({TIME_OF_DAY})$")]
# A date inside a text: {date:%Y%m%d}.
_DATED = re.compile(r"\{date:([^}]+)\}")


class SourceError(ValueError):
    """A spec in `sources/`, or `config/sources.yaml`, has a mistake; the message says where."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _with_one_group(pattern: str, around: str) -> str:
    try:
        groups = re.compile(pattern).groups
    except re.error as error:
        raise ValueError(f"is not a regular expression: {error}") from None
    if groups != 1:
        raise ValueError(f"needs one group, around {around}")
    return pattern


class Stated(_Strict):
    """A date or a time that an answer states: a pattern with one group, and its format."""

    pattern: str
    format: str

    @field_validator("pattern")
    @classmethod
    def _has_one_group(cls, pattern: str) -> str:
        return _with_one_group(pattern, "the date or time")


class Answer(_Strict):
    """What makes an answer a file of the day asked for."""

    encoding: str = "utf-8"
    least_bytes: int = Field(1, ge=1, description="a shorter answer is cut off, or an error page")
    begins: str | None = Field(None, description="the text with which it begins, blanks aside")
    ends: str | None = Field(None, description="the text with which it ends, blanks aside")
    contains: tuple[str, ...] = Field((), description="texts that are in it, such as the board")
    date: Stated | None = Field(None, description="a date that it states; one must be the day")
    time: Stated | None = Field(None, description="the time of a snapshot")
    not_before: ClockTime | None = Field(None, description="a snapshot of an earlier time is early")
    empty: str | None = Field(None, description="pattern of an answer that has no data")
    refused: str | None = Field(None, description="pattern of an answer that refuses the question")


class Source(_Strict):
    """A file that is published every session, and where."""

    source: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    unverified: str | None = Field(None, description="what it follows, where no answer was at hand")
    title: str
    publisher: str
    terms: str = Field(description="where the publisher's terms of use are: read them first")
    url: str = Field(pattern=r"^https?://[^/\s]")
    link: str | None = Field(
        None,
        description="where `url` answers with a list: the pattern of the day's address in it, with "
        "one group; {date:…} is filled in",
    )
    akshare: str | None = Field(
        None,
        description="where only AkShare reaches the vendor: the function that it calls with "
        "`parameters`; `url` is then the vendor's site, whose pace counts",
    )
    parameters: dict[str, str] = Field(default_factory=dict)
    headers: dict[str, str] = Field(default_factory=dict)
    file: str = Field(
        pattern=r"^[a-z][a-z0-9_]*/[^/]+$",
        description="path below landing/; without a date it is a history, fetched anew each day",
    )
    markets: tuple[str, ...] = Field(
        min_length=1, description="it is published if one has a session"
    )
    published_at: ClockTime = Field(description="in Hong Kong; nobody asks before")
    kept_days: int | None = Field(None, ge=1, description="after so many days it is gone")
    pace_seconds: float = Field(3, ge=0, le=600, description="between two questions to its host")
    is_packed: bool = Field(False, description="whether the file is kept compressed, as .gz")
    largest_megabytes: int = Field(64, ge=1)
    answer: Answer

    @field_validator("markets")
    @classmethod
    def _are_known(cls, markets: tuple[str, ...]) -> tuple[str, ...]:
        if unknown := set(markets) - MARKET_SUFFIXES.keys():
            raise ValueError(f"{', '.join(sorted(unknown))}: no such market; a MIC, such as XHKG")
        return markets

    @field_validator("link")
    @classmethod
    def _has_one_group(cls, link: str | None) -> str | None:
        if link:
            _with_one_group(dated(link, date(2025, 9, 17)), "the address")
        return link

    @property
    def is_history(self) -> bool:
        """Whether one file holds all days, so that it is fetched anew each day."""
        return not _DATED.search(self.file)

    def path(self, day: date) -> str:
        """The path of the day's file below landing/."""
        return dated(self.file, day) + ".gz" * self.is_packed


def dated(text: str, day: date) -> str:
    """A text of a spec for a day: {date:%Y%m%d} is filled in."""
    return _DATED.sub(lambda found: day.strftime(found[1]), text)


class _Switched(_Strict):
    """How a source is switched on: as it is shipped, or from another address."""

    url: str | None = Field(None, pattern=r"^https?://[^/\s]")


class _Switches(_Strict):
    """The content of `config/sources.yaml`."""

    contact: str | None = Field(
        None, pattern=r"^\S+@\S+$|^https?://\S+$", description="named to the publishers"
    )
    sources: dict[str, bool | _Switched] = Field(default_factory=dict)


@dataclass(frozen=True)
class Sources:
    """The sources that are switched on, those that are offered, and who asks."""

    on: Mapping[str, Source]
    offered: Mapping[str, Source]
    contact: str | None


def load_sources(config: Path, folder: Path = SOURCES_FOLDER) -> Sources:
    """The shipped sources, and which of them `config/sources.yaml` switches on: none without it.

    Raises:
        SourceError: a spec or the file has a mistake; one line per mistake.
    """
    offered = {
        path.stem: read_yaml(
            path, Source, SourceError, "is not the spec of a source", "is not a key of a source"
        )
        for path in sorted(folder.glob("*.yaml"))
    }
    for name, source in offered.items():
        if source.source != name:
            raise SourceError(f"{folder / name}.yaml:1: the source is named {source.source!r}")
    path = config / "sources.yaml"
    if not path.exists():
        return Sources({}, offered, None)
    switches = read_yaml(
        path, _Switches, SourceError,
        "names no source; e.g. `sources: {sse_overview: true}`", "is not a key; write `sources:`",
    )  # fmt: skip
    if unknown := switches.sources.keys() - offered.keys():
        raise SourceError(
            f"{path}:1: no source is named {', '.join(sorted(unknown))}; there are "
            f"{', '.join(offered)}"
        )
    on = {}
    for name, switch in switches.sources.items():
        if switch:
            url = switch.url if isinstance(switch, _Switched) else None
            on[name] = offered[name].model_copy(update={"url": url} if url else {})
    return Sources(on, offered, switches.contact)


def stated(what: Stated, text: str) -> list[datetime]:
    """The dates or times that an answer states, in its order."""
    moments = []
    for found in dict.fromkeys(re.findall(what.pattern, text)):
        try:
            moments.append(datetime.strptime(found.title(), what.format))
        except ValueError:
            continue
    return moments
