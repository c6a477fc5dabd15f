"""Trying a spec on a file: what would be loaded and rejected, whatever the file is named."""

from datetime import date
from pathlib import Path

import pytest

from dagster_project.ingest.feed_catalog import find_feed
from dagster_project.ingest.feed_spec import FeedSpec, FeedSpecError
from dagster_project.ingest.trial import Trial, try_feed
from tests.unit.ingest.support import DAY, HSI, SPECS, TODAY, day_line, hsi_line


def tried(path: Path, content: str, spec: FeedSpec, rows: int = 10) -> Trial:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")
    return try_feed(spec, path, TODAY, rows)


def test_rows_that_would_be_loaded_and_rejected(tmp_path: Path) -> None:
    bad = hsi_line(date="09/15/25", close="x")
    trial = tried(tmp_path / "HSI.csv", f"{HSI}{hsi_line()}\n{bad}\n", SPECS["wsj_index"])
    assert trial.remarks == []
    assert trial.columns == ["symbol", "trade_date", "open", "high", "low", "close"]
    assert [row[:3] for row in trial.loaded] == [(2, "HSI", date(2025, 9, 16))]
    ((line, reason, text),) = trial.rejected
    assert (line, text) == (3, bad)
    assert "x', which is not what feeds/wsj_index.yaml declares" in reason
    assert (trial.report.lines_read, trial.report.rows_accepted) == (3, 1)


def test_the_end_of_the_path_is_what_lies_in_landing(tmp_path: Path) -> None:
    path = tmp_path / "vipdoc" / "sh" / "lday" / "sh600519.day"
    trial = tried(path, "x" * 32, SPECS["tdx_day"])
    assert trial.remarks == []


def test_another_name_is_no_obstacle(tmp_path: Path) -> None:
    trial = tried(tmp_path / "export (1).txt", HSI + hsi_line(), SPECS["wsj_index"])
    assert trial.remarks == [
        "its name does not match '{symbol}.csv'; in landing/ it would be quarantined",
        "its name has no symbol of this feed, so in landing/ it would be quarantined; 000001.SH is "
        "assumed here",
    ]
    assert trial.report.rows_accepted == 1


def test_a_name_without_the_date(tmp_path: Path) -> None:
    lines = [day_line(trade_date="20250917"), day_line(ts_code="000002.SZ", trade_date="20250917")]
    trial = tried(
        tmp_path / "today.csv", DAY + "\n".join(lines) + "\n", SPECS["tushare_daily"], rows=1
    )
    assert trial.remarks == ["its name has no date as %Y%m%d; that of the rows is not compared"]
    assert (trial.report.rows_accepted, len(trial.loaded)) == (2, 1)


def test_why_a_file_would_be_set_aside(tmp_path: Path) -> None:
    trial = tried(tmp_path / "HSI.csv", "Date,Last\n", SPECS["wsj_index"])
    assert "column 'Open' is missing" in (trial.report.reason or "")
    assert not trial.loaded


def test_a_feed_by_name_or_path(tmp_path: Path) -> None:
    assert find_feed("wsj_index") == SPECS["wsj_index"]
    with pytest.raises(FeedSpecError, match="no feed is named 'wsj'; known: baostock_a_share, "):
        find_feed("wsj")
    own = tmp_path / "own.yaml"
    with pytest.raises(FeedSpecError, match="does not exist"):
        find_feed(str(own))
    own.write_text("feed: own\n")
    with pytest.raises(FeedSpecError, match=r"own\.yaml"):
        find_feed(str(own))
