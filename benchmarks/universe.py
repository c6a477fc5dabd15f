"""Makes a market of any size from the real vendor files: more series, with other symbols.

    python benchmarks/universe.py LANDING --series 3541 --years 35 [--real ../shared/real]

Belongs here: which series there are and how their files are written. Does not belong here: which
real files a delivery has (`tests/support.py`), measuring (`scale.py`).

Every file of a security is one series. A smaller market is a share of the real series. A larger one
has all of them, and copies of those with the longest histories: the same prices under a code that
nobody has, of the same board. A copied A share stands in the stock list with the industry and the
date of listing of the real one, so that sectors and first sessions are right.

Copies divide the turnover of the real series among them, so that the shares of a market never
have more of it than the market itself, and no two have the same volume: two symbols with the same
prices and volume are a finding of the audit. Average prices stay as they are.

The same options give the same rows. Nothing is written outside LANDING.
"""

import argparse
import hashlib
import os
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl

PROJECT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(PROJECT))

from tests.support import real_deliveries

# The last dates that all long histories have.
END = date(2025, 10, 30)
A_SHARES, HONG_KONG, TRADED = "eastmoney_a_share", "yahoo_hk", "baostock_a_share"
# Folders of the real files whose series are copied, those with the longest histories.
COPIED = {"a_share_eastmoney_since_listing", "hk_yahoo_since_2009"}
# Of so many copies one is of Hong Kong: then the full size has 3,541 series and 12.7 million rows.
COPIES_PER_HONG_KONG_COPY = 6
# The first digits of a real code -> those of its board, in which copies find free codes.
BOARDS = {
    "60": ("600", "601", "603", "605"),
    "688": ("688",),
    "00": ("000", "001", "002", "003"),
    "30": ("300", "301"),
}
# The codes of the main board in Hong Kong that are no funds, debt, warrants or GEM.
HONG_KONG_CODES = (range(1, 2800), range(3200, 4000), range(6000, 7000))


@dataclass(frozen=True)
class Copy:
    """A copied series: its file, code and symbol, and which of how many series of one source."""

    path: str
    code: str
    symbol: str
    number: int
    of: int


@dataclass(frozen=True)
class Size:
    """What was written: series of securities, rows of all files, files and bytes."""

    series: int
    rows: int
    files: int
    size: int


def make_universe(landing: Path, series: int, years: int) -> Size:
    """Write the landing folder of a market with so many series, of the last years up to END."""
    deliveries = real_deliveries(is_long=True)
    left_out, copies = choose_series(deliveries, series)
    first = first_date(years)
    jobs = [
        (source, landing, path, copies.get(path, []), first)
        for path, source in deliveries.items()
        if path not in left_out and path.split("/")[0] not in LISTS
    ]
    # The largest first, so that both processes end together.
    jobs.sort(key=lambda job: -(len(job[3]) + 1) * job[0].stat().st_size)
    rows = 0
    with ProcessPoolExecutor() as pool:
        for written in pool.map(_write_series, *zip(*jobs, strict=True)):
            rows += written
    for path, source in deliveries.items():
        if write_list := LISTS.get(path.split("/")[0]):
            target = landing / path
            target.parent.mkdir(parents=True, exist_ok=True)
            write_list(source, target, copies)
            _keep_time(source, target)
    files = [path for path in landing.rglob("*") if path.is_file()]
    written_series = sum(path.parent.name in (A_SHARES, HONG_KONG, TRADED) for path in files)
    return Size(written_series, rows, len(files), sum(path.stat().st_size for path in files))


def first_date(years: int) -> date:
    """The first date of the last years up to END."""
    return END.replace(year=END.year - years)


# --- Which series -------------------------------------------------------------------------------


def choose_series(
    deliveries: dict[str, Path], count: int
) -> tuple[set[str], dict[str, list[Copy]]]:
    """The real series that are left out, and path of a real series -> its copies.

    Raises:
        SystemExit: there are not as many free codes.
    """
    shares = [path for path in deliveries if path.split("/")[0] in (A_SHARES, HONG_KONG, TRADED)]
    shares.sort(key=lambda path: hashlib.sha256(path.encode()).digest())
    return set(shares[count:]), _copies(deliveries, shares, count - len(shares))


def _copies(
    deliveries: dict[str, Path], shares: Sequence[str], count: int
) -> dict[str, list[Copy]]:
    """Path of a real series -> its copies; `count` in all."""
    sources = {
        feed: [
            path
            for path in shares
            if path.startswith(feed) and deliveries[path].parent.name in COPIED
        ]
        for feed in (A_SHARES, HONG_KONG)
    }
    chosen: list[str] = []
    turns: Counter[str] = Counter()
    for number in range(count):
        is_hong_kong = number % COPIES_PER_HONG_KONG_COPY == COPIES_PER_HONG_KONG_COPY - 1
        feed = HONG_KONG if is_hong_kong else A_SHARES
        chosen.append(sources[feed][turns[feed] % len(sources[feed])])
        turns[feed] += 1
    of = Counter(chosen)
    free = _free_codes(deliveries)
    copies: dict[str, list[Copy]] = defaultdict(list)
    for path in chosen:
        feed, name = path.split("/")
        board = "HK" if feed == HONG_KONG else next(b for b in BOARDS if name.startswith(b))
        code = next(free[board], None)
        if code is None:
            raise SystemExit(f"no code of board {board} is free for a copy; ask for fewer series")
        symbol = code if feed == HONG_KONG else f"{code}.{'SH' if code[0] == '6' else 'SZ'}"
        number = len(copies[path]) + 1
        copies[path].append(Copy(f"{feed}/{code}.csv", code, symbol, number, of[path] + 1))
    return copies


def _free_codes(deliveries: dict[str, Path]) -> dict[str, Iterator[str]]:
    """Board -> codes that no real file and no seed has."""
    taken = {path.split("/")[1].removesuffix(".csv") for path in deliveries}
    lists = [deliveries[path] for path in deliveries if path.startswith("tushare_stock_list/")]
    days = [deliveries[path] for path in deliveries if path.startswith("tushare_daily/")]
    for table in [*lists, *days, *(PROJECT / "seeds").glob("*.csv")]:
        words = table.read_text("utf-8-sig").replace("\n", ",").split(",")
        taken |= {word for word in words if word.endswith((".SH", ".SZ", ".HK"))}
    for path, source in deliveries.items():
        if path.startswith("hsi_composite_list/"):
            taken |= {f"{row[2]:04}.HK" for row in _rows_of_list(source)}
    taken |= {word.split(".")[0] for word in taken if not word.endswith(".HK")}
    codes = {
        board: [f"{prefix}{number:03}" for number in range(1, 1000) for prefix in prefixes]
        for board, prefixes in BOARDS.items()
    }
    codes["HK"] = [f"{number:04}.HK" for numbers in HONG_KONG_CODES for number in numbers]
    return {
        board: iter([code for code in of_board if code not in taken])
        for board, of_board in codes.items()
    }


# --- Files of series ----------------------------------------------------------------------------


def _write_series(
    source: Path, landing: Path, path: str, copies: Sequence[Copy], first: date
) -> int:
    """Write a real file and its copies, without rows before the first date; how many rows."""
    feed = path.split("/")[0]
    header, rows = _since(feed, source.read_bytes(), first)
    if not rows:
        return 0
    _write(source, landing / path, header + b"".join(rows))
    parts = PARTS[feed](rows) if copies else None
    for copy in copies:
        assert parts
        code = copy.code.encode()
        head = header.replace(source.stem.encode(), code)
        _write(source, landing / copy.path, head + parts.written_as(code, copy.number, copy.of))
    return len(rows) * (len(copies) + 1)


def _since(feed: str, content: bytes, first: date) -> tuple[bytes, list[bytes]]:
    """The header lines of a file, and its rows from a date on; all rows of the small files."""
    lines = content.splitlines(keepends=True)
    headers = 3 if feed == HONG_KONG else 1
    header, rows = b"".join(lines[:headers]), lines[headers:]
    since = first.isoformat().encode()
    if feed == TRADED:
        date_at = header.split(b",").index(b"date")
        return header, [row for row in rows if row.split(b",")[date_at] >= since]
    if feed == "wsj_index":
        return header, [
            row for row in rows if datetime.strptime(row[:8].decode(), "%m/%d/%y").date() >= first
        ]
    if rows[0][4:5] == b"-":
        return header, [row for row in rows if row[:10] >= since]
    return header, rows


@dataclass(frozen=True)
class Parts:
    """The rows of a series, cut where a copy differs."""

    before: list[bytes]  # up to the code, if rows have one
    prices: list[bytes]
    volume: np.ndarray
    turnover: np.ndarray | None
    after: list[bytes]

    def written_as(self, code: bytes, number: int, of: int) -> bytes:
        """The rows as those of copy `number` of `of` series, with its share of the turnover."""
        volume = np.where(self.volume > 0, self.volume // of + number, 0)
        if self.turnover is None:
            rows = zip(self.before, self.prices, volume.tolist(), self.after, strict=True)
            return b"".join([b"%b%b,%d%b" % row for row in rows])
        turnover = np.rint(self.turnover * (volume / np.maximum(self.volume, 1))).astype(np.int64)
        return b"".join(
            [
                b"%b,%b%b,%d,%d.0%b" % (before, code, prices, shares, amount, after)
                for before, prices, shares, amount, after in zip(
                    self.before,
                    self.prices,
                    volume.tolist(),
                    turnover.tolist(),
                    self.after,
                    strict=True,
                )
            ]
        )


def _eastmoney_parts(rows: Sequence[bytes]) -> Parts:
    """Date, code, four prices, volume, turnover, four further figures."""
    cells = [row.split(b",") for row in rows]
    return Parts(
        [row[0] for row in cells],
        [b"," + b",".join(row[2:6]) for row in cells],
        np.array([int(row[6]) for row in cells], np.int64),
        np.array([float(row[7]) for row in cells]),
        [b"," + b",".join(row[8:]) for row in cells],
    )


def _yahoo_parts(rows: Sequence[bytes]) -> Parts:
    """Date, four prices, volume; only the header has the symbol."""
    cells = [row.rstrip().rpartition(b",") for row in rows]
    return Parts(
        [b""] * len(cells),
        [prices for prices, _, _ in cells],
        np.array([int(volume or 0) for _, _, volume in cells], np.int64),
        None,
        [b"\n"] * len(cells),
    )


PARTS: dict[str, Callable[[Sequence[bytes]], Parts]] = {
    A_SHARES: _eastmoney_parts,
    HONG_KONG: _yahoo_parts,
}


def _write(source: Path, target: Path, content: bytes) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)
    _keep_time(source, target)


def _keep_time(source: Path, target: Path) -> None:
    """A copy is as old as its source: what came before the close of a day is rejected."""
    status = source.stat()
    os.utime(target, ns=(status.st_atime_ns, status.st_mtime_ns))


# --- Lists of securities ------------------------------------------------------------------------


def _write_stock_list(source: Path, target: Path, copies: dict[str, list[Copy]]) -> None:
    """The list, and below it the lines of the copied shares under their new codes."""
    content = source.read_bytes()
    lines = {line.split(b",")[0][:6]: line for line in content.splitlines()[1:]}
    added = []
    for path, copied in copies.items():
        line = lines.get(Path(path).stem.encode())
        for copy in copied if line else ():
            _, _, others = (line or b"").split(b",", 2)
            added.append(b",".join([copy.symbol.encode(), copy.code.encode(), others]) + b"\n")
    target.write_bytes(content + b"".join(added))


def _write_constituents(source: Path, target: Path, copies: dict[str, list[Copy]]) -> None:
    """The workbook, and below it the rows of the copied shares under their new codes."""
    workbook = openpyxl.load_workbook(source)
    sheet = workbook.worksheets[0]
    rows = {f"{row[2]:04}.HK": row for row in _rows_of_list(source)}
    for path, copied in copies.items():
        if row := rows.get(Path(path).stem):
            for copy in copied:
                sheet.append([*row[:2], int(copy.code.split(".")[0]), *row[3:]])
    workbook.save(target)


def _rows_of_list(source: Path) -> list[tuple[Any, ...]]:
    """The rows of the workbook of constituents, without its repeated headers."""
    sheet = openpyxl.load_workbook(source, read_only=True).worksheets[0]
    return [row for row in sheet.iter_rows(values_only=True) if isinstance(row[2], int)]


LISTS: dict[str, Callable[[Path, Path, dict[str, list[Copy]]], None]] = {
    "tushare_stock_list": _write_stock_list,
    "hsi_composite_list": _write_constituents,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("landing", type=Path)
    parser.add_argument("--series", type=int, default=3541)
    parser.add_argument("--years", type=int, default=35)
    parser.add_argument("--real", type=Path, help="the real files (default: $CLOSING_BELL_REAL)")
    options = parser.parse_args()
    if options.real:
        os.environ["CLOSING_BELL_REAL"] = str(options.real)
    if options.landing.exists():
        raise SystemExit(f"{options.landing} exists; name a new folder")
    made = make_universe(options.landing, options.series, options.years)
    print(
        f"{made.series:,} series, {made.rows:,} rows, {made.files:,} files, "
        f"{made.size / 1e9:.2f} GB"
    )


if __name__ == "__main__":
    main()
