"""What Dagster shows, as lines of text: assets, asset checks, jobs, schedules and sensors.

Belongs here: the lines, and writing them to `graph_snapshot.txt`. Does not belong here: comparing
them (`test_graph_snapshot.py`), what must hold of the graph whatever it is (`test_dagster.py`).

    python -m tests.integration.graph_snapshot
"""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg

SNAPSHOT = Path(__file__).with_name("graph_snapshot.txt")

_HEAD = """\
# What Dagster shows. Written by `make graph-snapshot`; a test compares it with the definitions.
# asset <key> in <group>; check <asset key>: <name>, <blocking or not>; job, schedule, sensor <name>
"""


def _lines(definitions: dg.Definitions) -> Iterator[str]:
    graph, repository = definitions.resolve_asset_graph(), definitions.get_repository_def()
    for key in graph.get_all_asset_keys():
        yield f"asset {key.to_user_string()} in {graph.get(key).group_name}"
    for check in graph.asset_check_keys:
        blocking = "blocking" if graph.get(check).blocking else "not blocking"
        yield f"check {check.asset_key.to_user_string()}: {check.name}, {blocking}"
    # Dagster's own job, for runs of single assets, has a name that begins with two underscores.
    yield from (f"job {name}" for name in repository.job_names if not name.startswith("__"))
    yield from (f"schedule {schedule.name}" for schedule in repository.schedule_defs)
    yield from (f"sensor {sensor.name}" for sensor in repository.sensor_defs)


def snapshot_text(definitions: dg.Definitions) -> str:
    """The text of the snapshot: a head, and one line per item, sorted."""
    return _HEAD + "".join(f"{line}\n" for line in sorted(_lines(definitions)))


def main() -> None:
    from dagster_project.definitions import defs

    SNAPSHOT.write_text(snapshot_text(defs()), encoding="utf-8")


if __name__ == "__main__":
    main()
