"""All feeds: loading every spec in `feeds/`, and collecting the mistakes in the specs.

Belongs here: the folder of specs. Does not belong here: what a spec can say (`feed_spec.py`).
"""

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from dagster_project.config_files import read_yaml
from dagster_project.home import PROJECT_ROOT
from dagster_project.ingest.feed_spec import FeedSpec, FeedSpecError

FEEDS_FOLDER = PROJECT_ROOT / "dagster_project" / "feeds"


@dataclass(frozen=True)
class FeedCatalog:
    """The feeds by name, the mistakes of the specs that cannot be used, and the file of each."""

    feeds: dict[str, FeedSpec]
    problems: dict[str, str]
    paths: dict[str, Path] = field(default_factory=dict)

    @property
    def folders(self) -> set[str]:
        """The folders in landing/ that belong to a feed, also to one whose spec has a mistake."""
        return {spec.landing_folder for spec in self.feeds.values()} | self.problems.keys()

    def file_due(self, feed: str, day: date) -> str | None:
        """The path in landing/ of a feed's file for a day; None if its files have no date."""
        spec = self.feeds.get(feed)
        if spec is None or spec.file_date_format is None:
            return None
        parts = list(spec.segments.values())
        segment = parts[0] if len(parts) == 1 else f"{{{','.join(parts)}}}"
        name = spec.files.replace("{date}", day.strftime(spec.file_date_format))
        return f"{spec.landing_folder}/{name.replace('{segment}', segment)}"


def load_feeds(folder: Path = FEEDS_FOLDER, config: Path | None = None) -> FeedCatalog:
    """Load every spec; a mistake in one does not affect the others.

    Args:
        config: the operator's folder; a spec in its `feeds/` counts over a shipped one of the same
            name, also where it has a mistake.
    """
    own = config and config / "feeds"
    paths = {
        path.stem: path
        for specs in (folder, own)
        if specs and specs.exists()
        for path in sorted(specs.iterdir())
        if path.suffix in {".yaml", ".yml"}
    }
    feeds: dict[str, FeedSpec] = {}
    problems: dict[str, str] = {}
    for name, path in sorted(paths.items()):
        try:
            feeds[name] = load_feed(path)
        except FeedSpecError as error:
            problems[name] = str(error)
    return FeedCatalog(feeds, problems, paths)


def find_feed(name_or_path: str, config: Path | None = None) -> FeedSpec:
    """The spec of a feed by its name, or in a file anywhere.

    Raises:
        FeedSpecError: there is none of that name, or it has a mistake.
    """
    path = Path(name_or_path)
    if path.suffix in {".yaml", ".yml"}:
        if not path.exists():
            raise FeedSpecError(f"{path} does not exist")
        return load_feed(path)
    catalog = load_feeds(config=config)
    if name_or_path in catalog.problems:
        raise FeedSpecError(catalog.problems[name_or_path])
    if name_or_path not in catalog.feeds:
        raise FeedSpecError(
            f"no feed is named {name_or_path!r}; known: {', '.join(sorted(catalog.feeds))}"
        )
    return catalog.feeds[name_or_path]


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
