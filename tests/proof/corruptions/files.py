"""Corruptions of whole files, their lines and headers: paragraph *Files* of the catalogue."""

from collections.abc import Callable

from tests.proof.corruptions.kind import (
    CSV_FEEDS,
    DATED_FEEDS,
    NIGHT,
    PRICE_FEEDS,
    Corruption,
    Place,
    kind,
)

TODAY_FILE = f"tushare_daily/{NIGHT:%Y%m%d}.csv"
LISTS = ("tushare_stock_list", "hsi_composite_list")
TEXT_FEEDS = (*DATED_FEEDS, "tushare_stock_list")

PAGE = (
    b"<!DOCTYPE html>\n<html><head><title>503</title></head>\n"
    b"<body><h1>Service unavailable</h1>\n<p>Try again later.</p></body></html>\n"
)


def _other_file(place: Place) -> str:
    others = [
        path
        for path in sorted(place.landing.tonight)
        if path.startswith(f"{place.feed}/") and path != place.path
    ]
    return place.rng.choice(others)


@kind(
    "files",
    "another symbol's file under this symbol's name",
    ("yahoo_hk", "eastmoney_a_share", "baostock_index"),
)
def same_content_other_symbol(place: Place) -> Corruption:
    other = _other_file(place)
    return place.replaced(f"{place.path} holds {other}", place.landing.tonight[other])


@kind(
    "files", "another symbol's prices, labelled as this symbol's", ("yahoo_hk", "eastmoney_a_share")
)
def other_symbol_relabelled(place: Place) -> Corruption:
    other = _other_file(place)
    code, other_code = (path.split("/")[1].removesuffix(".csv") for path in (place.path, other))
    text = place.landing.tonight[other].decode()
    return place.replaced(
        f"{place.path} holds the prices of {other} under its own code",
        text.replace(f",{other_code}", f",{code}").encode(),
    )


@kind(
    "files",
    "an index's file holding the share of the same number",
    ("baostock_index",),
    path="*/sh000001.csv",
    beside="eastmoney_a_share/000001.csv",
)
def index_file_holds_share(place: Place) -> Corruption:
    share = place.landing.sheet("eastmoney_a_share/000001.csv")
    by_date = {share.date(row): row for row in range(len(share.rows))}
    for row in range(len(place.sheet.rows)):
        source = by_date.get(place.sheet.date(row))
        if source is not None:
            for column in ("open", "high", "low", "close", "volume", "turnover", "change_pct"):
                place.sheet.put(row, column, share.number(source, column))
    return place.changed(f"{place.path} holds 000001.SZ")


@kind(
    "files",
    "tonight's row is another symbol's",
    ("yahoo_hk", "eastmoney_a_share", "baostock_index"),
)
def row_of_other_symbol(place: Place) -> Corruption:
    other = place.landing.sheet(_other_file(place))
    row = place.tonight()
    source = max(range(len(other.rows)), key=other.date)
    at = place.sheet.at("symbol")
    cells = list(other.rows[source])
    if at is not None:
        cells[at] = place.sheet.rows[row][at]
    place.sheet.rows[row] = cells
    return place.changed(f"{place.where(row)} is the row of another symbol")


@kind("files", "the file of the session before under tonight's name", ("tushare_daily",))
def yesterdays_file_under_todays_name(place: Place) -> Corruption:
    before = max(path for path in place.landing.before if path.startswith("tushare_daily/"))
    return place.replaced(f"{place.path} holds {before}", place.landing.before[before])


@kind("files", "the same file once more under a second name", (*DATED_FEEDS, *LISTS))
def second_copy(place: Place) -> Corruption:
    stem, _, suffix = place.path.rpartition(".")
    copy = f"{stem}{place.rng.choice(['_copy', ' (1)', '_2'])}.{suffix}"
    return Corruption(f"{copy} is a copy of {place.path}", {copy: place.content})


@kind("files", "a row twice", TEXT_FEEDS)
def duplicate_rows(place: Place) -> Corruption:
    count = place.rng.choice([1, 3, 20])
    for _ in range(count):
        row = place.rng.randrange(len(place.sheet.rows))
        place.sheet.rows.insert(row, list(place.sheet.rows[row]))
    return place.changed(f"{count} rows of {place.path} stand twice")


@kind("files", "a row twice, with two closes", PRICE_FEEDS)
def contradicting_rows(place: Place) -> Corruption:
    row = place.row()
    where = place.where(row)
    place.sheet.rows.insert(row, list(place.sheet.rows[row]))
    low, high = place.sheet.number(row, "low"), place.sheet.number(row, "high")
    other = low if place.sheet.number(row, "close") != low else high
    place.sheet.put(row, "close", other)
    return place.changed(f"{where} stands twice with different closes")


@kind("files", "cut off in the middle of a line", TEXT_FEEDS)
def truncated_in_line(place: Place) -> Corruption:
    content = place.content
    at = place.rng.randrange(len(content) // 4, len(content) - 2)
    while content[at - 1 : at] == b"\n" or content[at : at + 1] == b"\n":
        at -= 1
    while content[at] & 0xC0 == 0x80:  # not inside of a character: that is another kind
        at -= 1
    return place.replaced(f"{place.path} ends after {at} of {len(content)} bytes", content[:at])


@kind("files", "cut off inside of a character", ("tushare_stock_list",))
def truncated_in_character(place: Place) -> Corruption:
    inside = [at for at, byte in enumerate(place.content) if byte & 0xC0 == 0x80]
    at = place.rng.choice(inside)
    return place.replaced(f"{place.path} ends inside of a character", place.content[:at])


@kind("files", "cut off at the end of a line", (*CSV_FEEDS, "tushare_stock_list"))
def truncated_at_line(place: Place) -> Corruption:
    kept = place.rng.randrange(1, len(place.sheet.rows))
    gone = len(place.sheet.rows) - kept
    del place.sheet.rows[kept:]
    return place.changed(f"the last {gone} rows of {place.path} are missing")


@kind("files", "capped at a round number of rows", (*CSV_FEEDS, "csindex", "tushare_stock_list"))
def capped_at_round_number(place: Place) -> Corruption:
    rows = place.sheet.rows
    cap = place.rng.choice(
        [cap for cap in (10, 20, 30, 40, 100, 200, 500, 1000) if cap < len(rows)]
    )
    if place.rng.random() < 0.5:
        del rows[cap:]
        return place.changed(f"{place.path} holds its first {cap} rows only")
    del rows[:-cap]
    return place.changed(f"{place.path} holds its last {cap} rows only")


@kind("files", "no byte", (*TEXT_FEEDS, "hsi_composite_list"))
def empty(place: Place) -> Corruption:
    return place.replaced(f"{place.path} is empty", place.rng.choice([b"", b"\n", b"  \r\n"]))


@kind("files", "a header and no rows", TEXT_FEEDS)
def header_only(place: Place) -> Corruption:
    place.sheet.rows.clear()
    return place.changed(f"{place.path} has no rows")


@kind("files", "an empty cell too many in some rows", (*CSV_FEEDS, "tushare_stock_list"))
def columns_shifted_wider(place: Place) -> Corruption:
    at = place.rng.randrange(1, len(place.sheet.names))
    rows = _some_rows(place)
    for row in rows:
        place.sheet.rows[row].insert(at, "")
    return place.changed(f"{len(rows)} rows of {place.path} have a cell too many at {at + 1}")


@kind("files", "the cells of some rows moved by one column", CSV_FEEDS)
def columns_shifted_same_width(place: Place) -> Corruption:
    columns = [c for c in (*place.prices(), "volume", "turnover") if place.sheet.has(c)]
    positions = sorted(place.sheet.position(column) for column in columns)
    if place.feed == "ecb_exchange_rates":
        positions = list(range(1, len(place.sheet.names) - 1))
    rows = _some_rows(place)
    for row in rows:
        cells = place.sheet.rows[row]
        moved = [cells[position] for position in positions]
        for position, cell in zip(positions, [moved[-1], *moved[:-1]], strict=True):
            cells[position] = cell
    return place.changed(
        f"the figures of {len(rows)} rows of {place.path} stand a column to the right"
    )


def _some_rows(place: Place) -> list[int]:
    """The last row, or a stretch of rows that ends with it."""
    if not place.sheet.has("trade_date"):
        return [place.rng.randrange(len(place.sheet.rows))]
    return place.rows[-place.rng.choice([1, 1, 3, 8]) :]


def _in_header(change: Callable[[Place, list[str], int], str]) -> Callable[[Place], Corruption]:
    """A corruption of a header: `change` gets the names and a position that the spec uses."""

    def inject(place: Place) -> Corruption:
        columns = [c for c in place.spec.delivered_columns if place.sheet.at(c) is not None]
        position = place.sheet.position(place.rng.choice(columns))
        return place.changed(f"{place.path}: {change(place, place.sheet.names, position)}")

    return inject


HEADED = (*CSV_FEEDS, "csindex", "tushare_stock_list")


def _rename(place: Place, names: list[str], at: int) -> str:
    before = names[at]
    names[at] = place.rng.choice([f"{before}_1", before.upper() + "2", "value", f"Adj {before}"])
    return f"column {before!r} is now {names[at]!r}"


def _drop(place: Place, names: list[str], at: int) -> str:
    for row in place.sheet.rows:
        del row[at]
    return f"column {names.pop(at)!r} is gone"


def _reorder(place: Place, names: list[str], at: int) -> str:
    order = list(range(len(names)))
    place.rng.shuffle(order)
    if place.spec.format.header_lines > 1:  # lines below the header begin with a label
        order.remove(0)
        order.insert(0, 0)
    names[:] = [names[position] for position in order]
    for row in place.sheet.rows:
        row[:] = [row[position] for position in order]
    return "the columns stand in another order"


def _add(place: Place, names: list[str], at: int) -> str:
    names.insert(at + 1, "adjusted")
    for row in place.sheet.rows:
        row.insert(at + 1, "1.0")
    for number, line in enumerate(place.sheet.preamble[1:], 1):
        cells = line.split(",")
        cells.insert(at + 1, cells[-1])
        place.sheet.preamble[number] = ",".join(cells)
    return f"a column 'adjusted' stands after {names[at]!r}"


def _double(place: Place, names: list[str], at: int) -> str:
    others = [position for position in range(len(names)) if position != at]
    other = place.rng.choice(others)
    before, names[other] = names[other], names[at]
    return f"column {before!r} is named {names[at]!r}, which stands there already"


for _name, _change, _description, _feeds in (
    ("header_renamed", _rename, "a column under another name", HEADED),
    ("column_gone", _drop, "a column is missing", HEADED),
    ("columns_reordered", _reorder, "the columns in another order", HEADED),
    ("column_added", _add, "a column more", HEADED),
    ("column_named_twice", _double, "a column's name twice", (*CSV_FEEDS, "tushare_stock_list")),
):
    kind("files", _description, _feeds, name=_name)(_in_header(_change))


def _labels_swapped(one: str, other: str) -> Callable[[Place], Corruption]:
    def inject(place: Place) -> Corruption:
        names = place.sheet.names
        first, second = place.sheet.position(one), place.sheet.position(other)
        names[first], names[second] = names[second], names[first]
        return place.changed(f"{place.path}: labels {names[second]!r} and {names[first]!r} swapped")

    return inject


for _one, _other in (
    ("open", "close"),
    ("high", "low"),
    ("open", "high"),
    ("volume", "turnover"),
    ("close", "previous_close"),
    ("change", "change_pct"),
):
    kind(
        "files",
        f"the labels of {_one} and {_other} swapped",
        (*PRICE_FEEDS, "hkex_turnover"),
        needs=(_one, _other),
        name=f"labels_swapped_{_one}_{_other}",
    )(_labels_swapped(_one, _other))


@kind("files", "a byte order mark", TEXT_FEEDS)
def byte_order_mark(place: Place) -> Corruption:
    return place.replaced(f"{place.path} begins with a mark", b"\xef\xbb\xbf" + place.content)


def _encoded(*encodings: str) -> Callable[[Place], Corruption]:
    def inject(place: Place) -> Corruption:
        encoding = place.rng.choice(encodings)
        text = place.content.decode().removeprefix("\ufeff")
        return place.replaced(
            f"{place.path} is {encoding}", text.encode(encoding, errors="replace")
        )

    return inject


kind(
    "files",
    "encoded as GBK",
    ("eastmoney_a_share", "tushare_stock_list"),
    name="encoded_gbk",
)(_encoded("gbk"))
kind(
    "files",
    "encoded as Big5",
    ("eastmoney_a_share", "tushare_stock_list"),
    name="encoded_big5",
)(_encoded("big5"))
kind("files", "encoded as UTF-16", TEXT_FEEDS, name="encoded_utf16")(
    _encoded("utf-16", "utf-16-le")
)


@kind("files", "lines that end in CR LF", TEXT_FEEDS)
def carriage_returns(place: Place) -> Corruption:
    return place.replaced(f"{place.path} has CR LF", place.content.replace(b"\n", b"\r\n"))


@kind("files", "blank lines", TEXT_FEEDS)
def blank_lines(place: Place) -> Corruption:
    return place.replaced(f"{place.path} ends with blank lines", place.content + b"\n\n\n")


@kind("files", "every cell in quotes", (*CSV_FEEDS, "tushare_stock_list"))
def quoted_cells(place: Place) -> Corruption:
    for row in place.sheet.rows:
        row[:] = [f'"{cell.strip()}"' if cell else cell for cell in row]
    return place.changed(f"{place.path}: every cell is quoted")


@kind("files", "a quote that does not pair", (*CSV_FEEDS, "tushare_stock_list"))
def broken_quotes(place: Place) -> Corruption:
    row = (
        place.rng.randrange(len(place.sheet.rows))
        if not place.sheet.has("trade_date")
        else place.row()
    )
    at = place.rng.randrange(len(place.sheet.names))
    place.sheet.rows[row][at] = f'"{place.sheet.rows[row][at] or ""}'
    return place.changed(f"{place.path}:{place.sheet.line(row)}: a quote opens and does not close")


@kind("files", "a row of totals at the end", (*CSV_FEEDS, "hkex_turnover"))
def totals_row(place: Place) -> Corruption:
    label = place.rng.choice(["Total", "合计", "Sum", "合計:"])
    cells: list[str | None] = [""] * len(place.sheet.names)
    cells[0] = label
    for column in ("volume", "turnover"):
        if place.sheet.has(column):
            total = sum(place.sheet.number(row, column) for row in range(len(place.sheet.rows)))
            cells[place.sheet.position(column)] = str(total)
    for column in ("close", "rate_USD"):
        if place.sheet.has(column):
            cells[place.sheet.position(column)] = place.sheet.text(place.rows[-1], column)
    place.sheet.rows.append(cells)
    return place.changed(f"{place.path} ends with a row {label!r}")


@kind("files", "a web page instead of data", (*TEXT_FEEDS, "hsi_composite_list"))
def web_page(place: Place) -> Corruption:
    return place.replaced(
        f"{place.path} is a web page", place.rng.choice([PAGE, PAGE.lower(), b"\n" + PAGE])
    )


@kind("files", "some rows of another date than the file's name", ("tushare_daily",))
def row_date_not_name_date(place: Place) -> Corruption:
    count = place.rng.choice([1, 5, 20])
    for row in place.rng.sample(place.rows, count):
        place.sheet.put(row, "trade_date", "20250916")
    return place.changed(f"{count} rows of {place.path} are dated 2025-09-16")


@kind("files", "tonight's file under the name of another day", ("tushare_daily",))
def name_of_another_day(place: Place) -> Corruption:
    other = f"tushare_daily/{place.rng.choice(['20250918', '20250912', '20250716'])}.csv"
    return Corruption(f"{place.path} came as {other}", {place.path: None, other: place.content})
