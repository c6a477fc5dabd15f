"""All feeds: loading every spec in `feeds/`, and collecting the mistakes in the specs.

Belongs here: the folder of specs. Does not belong here: what a spec can say (`feed_spec.py`).
"""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from dagster_project.config_files import read_yaml
from dagster_project.home import PROJECT_ROOT
from dagster_project.ingest.feed_spec import FeedSpec, FeedSpecError

FEEDS_FOLDER = PROJECT_ROOT / "dagster_project" / "feeds"


@dataclass(frozen=True)
class FeedCatalog:
    """The feeds by name, and the mistakes of the specs that cannot be used."""

    feeds: dict[str, FeedSpec]
    problems: dict[str, str]

    def file_due(self, feed: str, day: date) -> str | None:
        """The path in landing/ of a feed's file for a day; None if its files have no date."""
        spec = self.feeds.get(feed)
        if spec is None or spec.file_date_format is None:
            return None
        return f"{feed}/{spec.files.replace('{date}', day.strftime(spec.file_date_format))}"


def load_feeds(folder: Path = FEEDS_FOLDER) -> FeedCatalog:
    """Load every spec in a folder; a mistake in one does not affect the others."""
    feeds: dict[str, FeedSpec] = {}
    problems: dict[str, str] = {}
    for path in sorted(folder.iterdir()):
        if path.suffix in {".yaml", ".yml"}:
            try:
                feeds[path.stem] = load_feed(path)
            except FeedSpecError as error:
                problems[path.stem] = str(error)
    return FeedCatalog(feeds, problems)


def load_feed(path: Path) -> FeedSpec:
    """Read one spec.

    Raises:
        FeedSpecError: it is not YAML, or not the spec of a feed; the message names the line.
    """
    if path.suffix != ".yaml":
        raise FeedSpecError(f"{path}: rename it to {path.stem}.yaml")
    spec = read_yaml(
        path,
        FeedSpec,
        FeedSpecError,
        otherwise=f"is not a feed spec; a spec starts with `feed: {path.stem}`",
        unknown_key="is not a key of a feed spec; a typo?",
    )
    if spec.feed != path.stem:
        raise FeedSpecError(
            f"{path}:1: the file is named {path.stem!r}, but the feed {spec.feed!r}"
        )
    return spec
