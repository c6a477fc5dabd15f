"""Clean files of the synthetic sample or of real vendors, as they stood on the evening of any day.

Belongs here: cutting files at a day, and the times at which they come. Does not belong here: the
sample itself (`seeds/sample/`), corruptions of files (`corruptions/`), playing nights.
"""

import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from dagster_project.ingest.feed_catalog import FeedCatalog
from dagster_project.market.calendar import HONG_KONG
from seeds.sample.generate import generate
from tests.proof.corruptions.sheet import Row, Sheet
from tests.support import place_real_files

# When files come: after the close, and the central bank's rates at night.
USUAL_TIME, RATES_TIME, OLD = (17, 45), (22, 15), date(2025, 9, 1)


@dataclass(frozen=True)
class _Dated:
    """A file with a date in every row."""

    sheet: Sheet
    rows: list[Row]
    dates: list[date]


class CleanFiles:
    """Whole files, and what of them had come by a day. A path is relative to landing."""

    def __init__(self, catalog: FeedCatalog, is_real: bool) -> None:
        with tempfile.TemporaryDirectory(prefix="clean-files-") as folder:
            landing = Path(folder) / "landing"
            place_real_files(landing) if is_real else generate(landing)
            self._whole = read_folder(landing)
        self._dated = {}
        for path, content in self._whole.items():
            spec = catalog.feeds[path.split("/")[0]]
            if "trade_date" in spec.columns:
                sheet = Sheet(spec, content)
                dates = [sheet.date(row) for row in range(len(sheet.rows))]
                self._dated[path] = _Dated(sheet, sheet.rows, dates)
        self.sessions = sorted({day for dated in self._dated.values() for day in dated.dates})

    def on(self, day: date) -> Mapping[str, bytes]:
        """Path -> content on the evening of a day; files without a row yet have not come."""
        files = {}
        for path, content in self._whole.items():
            dated = self._dated.get(path)
            if dated is None:
                files[path] = content
                continue
            rows = [row for row, at in zip(dated.rows, dated.dates, strict=True) if at <= day]
            if rows:
                dated.sheet.rows = rows
                files[path] = dated.sheet.render()
        return files


def read_folder(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def moment(day: date, hour: int, minute: int) -> datetime:
    """A moment in Hong Kong."""
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=HONG_KONG)


def stamp(path: Path, when: datetime) -> None:
    os.utime(path, (when.timestamp(), when.timestamp()))


def usual_time(path: str, day: date, changed: bool) -> datetime:
    """When a file that holds figures up to a day would have come."""
    feed, name = path.split("/", 1)
    if feed == "tushare_daily":
        day = datetime.strptime(name[:8], "%Y%m%d").date()
    elif not changed:
        day = OLD
    return moment(day, *(RATES_TIME if feed == "ecb_exchange_rates" else USUAL_TIME))
