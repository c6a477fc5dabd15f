"""A few damages of a small file of every feed; `make prove-damage` plays ten thousand of each."""

import pytest

from tests.proof.damage import play, read, whole_files
from tests.unit.ingest.support import SPECS

# Nobody has delivered these yet, and no other test has an example of them.
WITHOUT_FILE = {"tushare_index_daily", "tushare_adj_factor"}


@pytest.fixture(scope="module")
def files() -> list[tuple[str, str, bytes]]:
    return list(whole_files())


@pytest.mark.parametrize("feed", sorted(SPECS.keys() - WITHOUT_FILE))
def test_no_damage_stops_the_reading_or_loses_a_line(
    feed: str, files: list[tuple[str, str, bytes]]
) -> None:
    of_feed = [(name, content) for of, name, content in files if of == feed]
    assert of_feed
    for name, content in of_feed:
        (whole,) = read(SPECS[feed], name, [content])
        assert whole.reason is None
        became, wrong = play(feed, name, content, 10)
        assert not wrong
        assert became["read"] + became["quarantined"] == 10
