"""What may not be read is reported, and does not look as if it had been removed.

Belongs here: permissions on landing, as another user than root. Does not belong here: permissions
on the published folder (`tests/integration/release/`).
"""

import json
import os
import tempfile
from pathlib import Path

import pytest

from dagster_project.ingest.feed_ingestion import ingest_feed
from dagster_project.ingest.feed_spec import FeedSpec
from dagster_project.market.seeds import known_indices
from tests.integration.hostile.support import STOCKS, run_in_process, spec_of
from tests.support import NOW, TODAY, new_warehouse


def read_as_nobody(folder: Path, spec: FeedSpec, out: Path) -> None:
    indices = known_indices()
    with new_warehouse() as con:
        if os.geteuid() == 0:  # permissions do not bind root, as whom containers run tests
            os.setuid(65534)
        result = ingest_feed(con, folder, spec, TODAY, NOW, indices)
    out.write_text(json.dumps([result.rows_accepted, result.quarantined, result.missing_folder]))


@pytest.mark.parametrize("what", ["file", "folder within", "folder"])
def test_what_may_not_be_read_is_reported(what: str) -> None:
    # Not in pytest's folder: that is closed to all but the user who runs the tests.
    with tempfile.TemporaryDirectory() as root:
        feed, out = Path(root) / "landing" / "tushare_stock_list", Path(root) / "out"
        (feed / "inner").mkdir(parents=True)
        for name in ("closed.csv", "open.csv"):
            (feed / name).write_text(STOCKS + "600000.SH,a,b\n")
        for path in (Path(root), *Path(root).rglob("*")):
            path.chmod(0o777)
        closed = {"file": feed / "closed.csv", "folder within": feed / "inner", "folder": feed}
        closed[what].chmod(0)
        try:
            run_in_process(read_as_nobody, feed.parent, spec_of(feed.name), out)
        finally:
            closed[what].chmod(0o777)
        accepted, quarantined, missing = json.loads(out.read_text())
        if what == "file":
            reason = "this user may not read it; correct its permissions"
            assert (accepted, quarantined) == (1, {"tushare_stock_list/closed.csv": reason})
        else:
            assert (accepted, quarantined) == (0, {})
            assert (
                missing
                == f"{closed[what]} cannot be listed: Permission denied; make it a readable folder"
            )
