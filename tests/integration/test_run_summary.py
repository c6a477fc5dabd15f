"""What a run says at its end fits on a screen, however much went wrong in the night."""

import duckdb
import pytest

from dagster_project.alerts.findings import after_release
from dagster_project.defs.run_summary import release_summary
from dagster_project.home import Home
from dagster_project.ingest.feed_catalog import load_feeds
from tests.conftest import copy_home

# Every feed late in every market, eight new rows and many that stand of every check.
BAD_NIGHT = """
    delete from main.session_coverage where trade_date = '2025-09-17';
    insert into main.session_coverage
    select '2025-09-17', unnest(['XHKG', 'XSHE', 'XSHG']), feed, 9, if(number <= 8, 0, 4), 5,
        '0700.HK', 'partial', true
    from (select feed, row_number() over (order by feed) as number from raw.feed) limit 36;
    update raw.check_result set passed = false, rows_found = 300, rows_new = 8, severity = 'warn',
        offending_rows = [{
            what: 'is odd', severity: 'warn', record_kind: null, symbol: 'HSI',
            trade_date: '2025-09-17'::date, feed: null, file: 'f/' || n || '.csv', line_number: n,
            first_seen: null, waiver: null} for n in range(8)];"""


@pytest.fixture
def bad_night(sample_home: Home, tmp_path_factory: pytest.TempPathFactory) -> Home:
    home = copy_home(sample_home, tmp_path_factory.mktemp("bad_night") / "home")
    file = home.published.resolve()
    file.chmod(0o644)
    with duckdb.connect(str(file)) as con:
        con.execute(BAD_NIGHT)
        ((feeds,),) = con.execute(
            "select count(distinct feed) from main.session_coverage where trade_date = '2025-09-17'"
        ).fetchall()
    assert feeds >= 10
    return home


def test_a_bad_night_fits_on_a_screen(bad_night: Home) -> None:
    lines = release_summary(bad_night, after_release(bad_night, load_feeds().file_due)["late"])
    assert len(lines) < 40  # a run with nothing new has one more
    said = "\n".join(lines)
    for label in ("close", "new", "standing", "late", "release", "file", "report"):
        assert f"\n{label} " in f"\n{said}"
    late = [line for line in lines if line.startswith("late")]
    assert "2025-09-17 XHKG, XSHE, XSHG " in late[0]
    assert len({line.split()[5] for line in late}) == len(late)  # one line per feed
    assert "more feeds are late" in said
    # What to do where nothing came, and where a part came.
    assert len([line for line in lines if line.startswith(" " * 9 + "to do: ")]) == 2
