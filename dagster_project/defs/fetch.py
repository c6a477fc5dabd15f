"""Fetching: one asset per source that `config/sources.yaml` switches on, upstream of its feeds."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import dagster as dg

from dagster_project.defs.metadata import code_reference
from dagster_project.defs.partitions import requested_dates, trade_dates
from dagster_project.fetch.outcomes import FAILURES, Fetched
from dagster_project.fetch.source_spec import (
    SOURCES_FOLDER,
    Source,
    SourceError,
    Sources,
    load_sources,
)
from dagster_project.home import Home
from dagster_project.market import calendar
from dagster_project.release.read import published_release

# A night that follows days without one asks for their files too, as long as publishers keep these.
MOST_DAYS = 20
# The tag of a run that also asks for what is there: it may have been corrected.
_ASK_AGAIN = "closing_bell/ask_again"


def source_key(source: str) -> dg.AssetKey:
    return dg.AssetKey(["source", source])


def switched_on() -> Sources:
    """The sources; none where the file of switches has a mistake, which ends the next run."""
    try:
        return load_sources(Home.from_environment().config)
    except SourceError:
        return Sources({}, {}, None)


sources = switched_on()


def sources_of(folder: str) -> list[dg.AssetKey]:
    """The sources that fill a folder of landing."""
    return [
        source_key(name)
        for name, source in sources.on.items()
        if source.file.startswith(f"{folder}/")
    ]


def again_tags(day: date) -> dict[str, str]:
    """The tags of a run that also asks for files that are there."""
    return {_ASK_AGAIN: day.isoformat()}


def _spec(source: Source) -> dg.AssetSpec:
    return dg.AssetSpec(
        source_key(source.source),
        description=" ".join(
            [
                f"{source.title}, as `landing/{source.file}`. Terms of use: {source.terms}",
                *([f"Unverified: {source.unverified}."] if source.unverified else []),
            ]
        ),
        group_name="sources",
        kinds={"file", "http"},
        owners=["team:data-engineers"],
        metadata={
            "publisher": source.publisher,
            "published at": source.published_at,
            "kept for": f"{source.kept_days} days" if source.kept_days else "-",
            **code_reference(SOURCES_FOLDER / f"{source.source}.yaml"),
        },
        partitions_def=trade_dates,
    )


def days_to_fetch(home: Home, requested: tuple[date, date], today: date) -> list[date]:
    """The requested days, and those since the last release: the machine may have been off."""
    first, last = requested
    release = published_release(home)
    if release and release.clock < first:
        first = release.clock + timedelta(days=1)
    first = max(first, last - timedelta(days=MOST_DAYS))
    days = (first + timedelta(days=number) for number in range((last - first).days + 1))
    return [day for day in days if day <= today]


def _result(source: str, found: list[Fetched]) -> dg.MaterializeResult[Any]:
    lines = [f"- {one.file}: {one.outcome.replace('_', ' ')}, {one.message}" for one in found]
    missing = [one for one in found if one.outcome in FAILURES]
    return dg.MaterializeResult(
        asset_key=source_key(source),
        metadata={"files": dg.MetadataValue.md("\n".join(lines) or "none asked for")},
        check_results=[
            dg.AssetCheckResult(
                check_name="arrived",
                asset_key=source_key(source),
                passed=not missing,
                severity=dg.AssetCheckSeverity.WARN,
                metadata={"missing": "; ".join(f"{m.file} {m.message}" for m in missing) or "-"},
            )
        ],
    )


if sources.on:

    @dg.multi_asset(
        specs=[_spec(source) for source in sources.on.values()],
        check_specs=[
            dg.AssetCheckSpec("arrived", asset=source_key(name), description="Every file is there.")
            for name in sources.on
        ],
        can_subset=True,
        backfill_policy=dg.BackfillPolicy.single_run(),
    )
    def fetch(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[Any]]:
        """Ask for the files of the run's days; what is missing does not keep back the rest."""
        # Importing the library that asks takes a quarter of a second.
        from dagster_project.fetch.fetching import fetch_day

        home, now = Home.from_environment(), calendar.now_in_hong_kong()
        keys = context.selected_asset_keys
        chosen = {n: source for n, source in sources.on.items() if source_key(n) in keys}
        wanted = replace(sources, on=chosen)
        requested = requested_dates(context.run.tags)
        found: dict[str, list[Fetched]] = {name: [] for name in chosen}
        for day in days_to_fetch(home, requested, now.date()) if requested else []:
            again = context.run.tags.get(_ASK_AGAIN) == day.isoformat()
            for one in fetch_day(home, wanted, day, now, again):
                found[one.source].append(one)
                say = context.log.warning if one.outcome in FAILURES else context.log.info
                say(f"{one.source} {day}: {one.outcome.replace('_', ' ')}, {one.message}")
        yield from (_result(name, of_source) for name, of_source in found.items())
