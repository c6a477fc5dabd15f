"""Trying a spec on a file: what would be loaded and what rejected, without a warehouse.

Belongs here: reading one file wherever it lies, whatever its name. Does not belong here: how the
result is shown (`cli.py`), reading itself (`reader.py`).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from dagster_project.ingest.feed_ingestion import symbol_check
from dagster_project.ingest.feed_spec import FeedSpec
from dagster_project.ingest.landing import LandingFile
from dagster_project.ingest.reader import Delivery, FileReport, read_files
from dagster_project.ingest.typed_rows import canonical_symbol, typed_columns
from dagster_project.market.seeds import known_indices


@dataclass(frozen=True)
class Trial:
    """What would become of a file.

    `loaded` are the first rows, with their line number first and then `columns`; `rejected` are
    the first rejected ones: line number, reason, text. `remarks` say where the file's name does not
    fit the spec, and what was assumed instead.
    """

    report: FileReport
    columns: list[str]
    loaded: list[tuple[Any, ...]]
    rejected: list[tuple[int, str, str]]
    remarks: list[str]


def try_feed(spec: FeedSpec, path: Path, today: date, rows: int = 10) -> Trial:
    """Read a file as a feed of this spec would.

    Args:
        today: the date in Hong Kong; rows of later trade dates are rejected.
        rows: how many loaded and how many rejected rows are returned.

    Raises:
        OSError: the file cannot be read.
    """
    content, status = path.read_bytes(), path.stat()
    indices = known_indices()
    check_symbol = symbol_check(spec, indices)
    placeholders, remarks = _placeholders(spec, path)
    if spec.unverified:
        remarks.append(f"feed {spec.feed} was never tried on a real file: it {spec.unverified}")
    file_date = None
    if spec.file_date_format:
        file_date = _date_in(spec, placeholders)
        if file_date is None and spec.is_dated_by_name:
            remarks.append(f"its name has no date as {spec.file_date_format}; {today} is assumed")
            file_date = today
        elif file_date is None:
            remarks.append(
                f"its name has no date as {spec.file_date_format}; that of the rows is not compared"
            )
    if spec.symbol and spec.symbol.file:
        delivered = placeholders.get(spec.symbol.file, "")
        if canonical_symbol(spec, delivered, check_symbol)[1]:
            assumed = next(
                code
                for code in _possible_codes(spec, indices)
                if not canonical_symbol(spec, code, check_symbol)[1]
            )
            remarks.append(
                f"its name has no symbol of this feed, so in landing/ it would be quarantined; "
                f"{assumed} is assumed here"
            )
            placeholders[spec.symbol.file] = assumed
    file = LandingFile(
        spec.feed, path.name, str(path), len(content), status.st_mtime_ns, placeholders, file_date
    )
    is_divided = spec.segment or len(spec.segments) > 1
    columns = [*["segment"] * bool(is_divided), *typed_columns(spec)]
    with duckdb.connect(config={"threads": 1}) as con:
        (report,) = read_files(con, spec, [Delivery(1, file, content)], today, check_symbol)
        loaded = con.execute(
            f"select line_number, {', '.join(columns)} from parsed "
            "where reason_code is null and not is_duplicate order by line_number limit ?",
            [rows],
        ).fetchall()
        rejected = con.execute(
            "select line_number, reason, raw_text from parsed "
            "where reason_code is not null order by line_number limit ?",
            [rows],
        ).fetchall()
    return Trial(report, columns, loaded, rejected, remarks)


def _placeholders(spec: FeedSpec, path: Path) -> tuple[dict[str, str], list[str]]:
    """The placeholders' values in the end of a path, or guesses and a remark."""
    parts = path.absolute().parts[1:]
    for start in range(len(parts)):
        found = spec.match("/".join(parts[start:]))
        if found is not None:
            return found, []
    stem = path.name.split(".")[0]
    guessed = {
        name: next(iter(spec.segments)) if name == "segment" else stem for name in spec.placeholders
    }
    return guessed, [f"its name does not match {spec.files!r}; in landing/ it would be quarantined"]


def _date_in(spec: FeedSpec, placeholders: Mapping[str, str]) -> date | None:
    try:
        return spec.file_date(dict(placeholders))
    except ValueError:
        return None


def _possible_codes(spec: FeedSpec, indices: frozenset[str]) -> Iterator[str]:
    if spec.symbol:
        yield from spec.symbol.map
    yield from ("600000", "0001", "sh600000", "0001.HK")
    yield from sorted(indices)
    yield from (symbol.split(".")[0] for symbol in sorted(indices))
