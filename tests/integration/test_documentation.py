"""What the README promises holds: its queries run and its feed is a feed."""

import re
from pathlib import Path

import duckdb
import pytest

from dagster_project.home import PROJECT_ROOT
from dagster_project.ingest.feed_catalog import load_feed

README = (PROJECT_ROOT / "README.md").read_text(encoding="utf-8")
QUERIES = re.findall(r"```sql\n(.*?)```", README, re.DOTALL)


def test_there_are_ten_queries() -> None:
    assert len([query for query in QUERIES if query.startswith("-- ") and query[3].isdigit()]) == 10


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query.splitlines()[0].strip("- "))
def test_query_answers(sample: duckdb.DuckDBPyConnection, query: str) -> None:
    rows = sample.execute(query).fetchall()
    # The sample has every feed complete but for days it was never meant to have, and was not known
    # a day ago.
    assert rows or any(
        name in query for name in ("session_coverage", "ratio_to_average", "_known_")
    )


def test_the_feed_of_the_readme_is_valid(tmp_path: Path) -> None:
    [text] = re.findall(r"```yaml\n(feed: .*?)```", README, re.DOTALL)
    path = tmp_path / "my_vendor.yaml"
    path.write_text(text, encoding="utf-8")
    spec = load_feed(path)
    assert spec.match("0700.csv") == {"symbol": "0700"}
