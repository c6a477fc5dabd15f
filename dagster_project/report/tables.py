"""The tables of a report: which figures stand in which column, and what a section lacks.

Belongs here: sections, tables, columns, cells. Does not belong here: sentences (`text.py`), how a
table becomes HTML or Markdown (`render.py`).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from dagster_project.report.facts import REGIONS, Facts, level_last_seen
from dagster_project.report.figures import Row, Text, say
from dagster_project.report.text import CURRENCIES, PLACES, REGION_NAMES, WEIGHTINGS

VERDICTS = {"confirmed": "✓ confirmed", "contradicted": "✗ contradicted", "no_data": "no data"}


@dataclass(frozen=True)
class Column:
    heading: str
    kind: str = "number"
    """`number` (to the right), `words`, `phrase` (words on one line) or `bar` (a size)."""


@dataclass(frozen=True)
class Bar:
    """A mark of a size: lengths of its parts, each between 0 and 1 of the column."""

    parts: Sequence[tuple[str, float]]
    """Class of a part (`up`, `down`, `flat`) and its length."""
    is_from_middle: bool = False
    """Whether losses go to the left of a middle line, gains to the right."""


@dataclass(frozen=True)
class Cell:
    text: Text = ()
    bar: Bar | None = None


@dataclass(frozen=True)
class Table:
    name: str
    caption: Text
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]


@dataclass(frozen=True)
class Section:
    name: str
    title: str
    tables: Sequence[Table]
    notes: Sequence[Text] = ()
    """What a reader of the tables has to know."""


def lay_out(facts: Facts) -> list[Section]:
    """The sections of a report, those without anything to show left out."""
    sections = (
        []
        if facts.is_closed
        else [
            _indices(facts),
            _sectors(facts),
            _movers(facts),
            _turnover(facts),
            _breadth(facts),
            _events(facts),
        ]
    )
    sections += [_claims(facts), _tonight(facts)]
    return [section for section in sections if section.tables or section.notes]


def _cell(part: Any) -> Cell:
    if part is None:
        return Cell()
    if isinstance(part, (Cell, Bar)):
        return part if isinstance(part, Cell) else Cell(bar=part)
    return Cell(part if isinstance(part, tuple) else (part,))


def _table(
    name: str, caption: Text, columns: Sequence[Column], rows: Iterable[Sequence[Any]]
) -> list[Table]:
    """The table as a list of one, or of none where it has no rows."""
    cells = [[_cell(part) for part in row] for row in rows]
    return [Table(name, caption, columns, cells)] if cells else []


def _titled(region: str) -> str:
    name = REGION_NAMES[region]
    return name[0].upper() + name[1:]


def _move_bar(change: float | None, largest: float) -> Bar | None:
    if change is None or largest == 0:
        return None
    side = "up" if change > 0 else "down"
    return Bar([(side, abs(change) / largest)], is_from_middle=True)


def _last_seen(row: Row) -> Text:
    """When the level of a close was last seen, in the direction it moved."""
    column = level_last_seen(row)
    if column is None:
        return ()
    word = "highest" if column == "closing_high_since" else "lowest"
    if row[column] is None:
        return say("{word} on record", word=word)
    return say("{word} since {since}", word=word, since=row.figure(column, "short_date"))


def _indices(facts: Facts) -> Section:
    rows = [
        (
            row.figure("name", "text"),
            row.figure("close", "level"),
            row.figure("change", "points"),
            row.figure("change_pct", "pct"),
            _last_seen(row),
            row.figure("return_5d_pct", "pct"),
            row.figure("return_20d_pct", "pct"),
            row.figure("return_ytd_pct", "pct"),
        )
        for row in facts.indices
    ]
    columns = [
        Column("Index", "words"),
        Column("Close"),
        Column("Points"),
        Column("Change"),
        Column("Close is the", "phrase"),
        Column("Five days"),
        Column("Twenty days"),
        Column("This year"),
    ]
    return Section("indices", "Indices", _table("indices", say("The close"), columns, rows))


def _sectors(facts: Facts) -> Section:
    tables: list[Table] = []
    largest = max((abs(row["change_pct"]) for row in facts.sectors), default=0)
    for name, rows, names in (
        ("sectors", facts.sectors, facts.sector_names),
        ("baskets", facts.baskets, facts.basket_names),
    ):
        for region in REGIONS:
            of_region = [row for row in rows if row["region"] == region]
            scale = largest or max((abs(row["change_pct"]) for row in of_region), default=0)
            has_share = any(row["turnover_share_pct"] is not None for row in of_region)
            columns = [
                Column("Sector" if name == "sectors" else "Basket", "words"),
                Column("", "bar"),
                Column("Change"),
                Column("Up"),
                Column("Down"),
                *([Column("Share of turnover")] if has_share else []),
            ]
            tables += _table(
                f"{name}-{region}",
                say(
                    "{region}, {what}",
                    region=_titled(region),
                    what=name,
                ),
                columns,
                [
                    (
                        names[row["sector"]].figure("name", "text"),
                        _move_bar(row["change_pct"], max(scale, abs(row["change_pct"]))),
                        row.figure("change_pct", "pct"),
                        row.figure("advancers", "count"),
                        row.figure("decliners", "count"),
                        *([row.figure("turnover_share_pct", "share")] if has_share else []),
                    )
                    for row in of_region
                ],
            )
    notes = []
    for region in REGIONS:
        weightings = {row["weighting"] for row in facts.sectors if row["region"] == region}
        for weighting in sorted(weightings):
            notes.append(
                say(
                    "{region}: changes of securities {weighting}.",
                    region=_titled(region),
                    weighting=WEIGHTINGS[weighting],
                )
            )
    return Section("sectors", "Sectors", tables, notes if tables else [])


def _movers(facts: Facts) -> Section:
    tables: list[Table] = []
    columns = [
        Column("Security", "words"),
        Column("Symbol", "phrase"),
        Column("Close"),
        Column("Change"),
        Column("Close is the", "phrase"),
        Column("Sector", "words"),
    ]
    for region in REGIONS:
        for name, movers in (("gainers", facts.gainers), ("losers", facts.losers)):
            tables += _table(
                f"{name}-{region}",
                say(
                    "{region}, largest {what}",
                    region=_titled(region),
                    what="gains" if name == "gainers" else "losses",
                ),
                columns,
                [
                    (
                        row.figure("name", "short_name") if row["name"] else None,
                        row.figure("symbol", "text"),
                        row.figure("close", "price"),
                        row.figure("change_pct", "pct"),
                        _limit(row) or _last_seen(row),
                        facts.sector_names[row["sector"]].figure("name", "text")
                        if row["sector"] in facts.sector_names
                        else None,
                    )
                    for row in movers[region]
                ],
            )
    notes = [
        say(
            "Highest and lowest count dividends and splits in; mainland closes at their daily "
            "price limit are marked."
        )
    ]
    return Section("movers", "Movers", tables, notes if tables else [])


def _limit(row: Row) -> Text:
    sides = {"up": "at upper limit", "down": "at lower limit"}
    return say(sides[row["at_limit"]]) if row["at_limit"] else ()


def _turnover(facts: Facts) -> Section:
    own = _table(
        "turnover",
        say("By market, in billions of its own currency"),
        [
            Column("Market", "words"),
            Column("Currency", "words"),
            Column("Turnover"),
            Column("Session before"),
            Column("Change"),
            Column("Twenty-day average"),
            Column("Against average"),
        ],
        [
            (
                say(PLACES[market["market"]]),
                say(CURRENCIES[row["currency"]]),
                row.figure("turnover", "billions"),
                row.figure("previous_turnover", "billions"),
                row.figure("change_pct", "pct"),
                row.figure("average_20d", "billions"),
                row.figure("ratio_to_average_20d", "above"),
            )
            for market in facts.markets
            if (row := facts.turnovers.get(market["market"]))
        ],
    )
    scopes = [
        (name, facts.scopes[scope])
        for scope, name in (
            ("hong_kong", "Hong Kong"),
            ("mainland", "Mainland"),
            ("all", "All markets"),
        )
        if scope in facts.scopes and facts.scopes[scope]["markets_open"]
    ]
    one = _table(
        "turnover-in-one-currency",
        say("In one currency, in billions"),
        [
            Column("Markets", "words"),
            Column("Yuan"),
            Column("Hong Kong dollars"),
            Column("US dollars"),
            Column("Change in yuan"),
            Column("Share of all"),
            Column("Reported"),
        ],
        [
            (
                say(name),
                row.figure("turnover_cny", "billions"),
                row.figure("turnover_hkd", "billions"),
                row.figure("turnover_usd", "billions"),
                row.figure("change_pct", "pct"),
                row.figure("share_of_all_pct", "share"),
                say(
                    "{reported} of {opened}",
                    reported=row.figure("markets_reported", "count"),
                    opened=row.figure("markets_open", "count"),
                ),
            )
            for name, row in scopes
        ],
    )
    notes = []
    if any(not row["is_complete"] for _, row in scopes):
        notes.append(
            say(
                "Where a market has not reported, a sum holds the others only, and nothing is "
                "compared with it."
            )
        )
    return Section("turnover", "Turnover", own + one, notes)


def _breadth(facts: Facts) -> Section:
    rows = []
    for market in facts.markets:
        row = facts.breadth.get(market["market"])
        if row is None:
            continue
        rows.append(
            (
                say(PLACES[market["market"]]),
                _breadth_bar(row),
                *(
                    row.figure(column, "count")
                    for column in (
                        "advancers",
                        "decliners",
                        "unchanged",
                        "suspended",
                        "new_highs_52w",
                        "new_lows_52w",
                        "limit_up",
                        "limit_down",
                    )
                ),
            )
        )
    columns = [
        Column("Market", "words"),
        Column("", "bar"),
        Column("Up"),
        Column("Down"),
        Column("Unchanged"),
        Column("Suspended"),
        Column("Year's highest"),
        Column("Year's lowest"),
        Column("At upper limit"),
        Column("At lower limit"),
    ]
    return Section(
        "breadth",
        "Breadth",
        _table("breadth", say("Securities that the files cover"), columns, rows),
    )


def _breadth_bar(row: Row) -> Bar | None:
    parts = [
        (side, row[column])
        for side, column in (("up", "advancers"), ("flat", "unchanged"), ("down", "decliners"))
    ]
    total = sum(count for _, count in parts)
    return Bar([(side, count / total) for side, count in parts]) if total else None


def _events(facts: Facts) -> Section:
    reactions = _table(
        "reactions",
        say("Responses to events, against the region's benchmark"),
        [
            Column("Event", "words"),
            Column("Basket", "words"),
            Column("Basket's change"),
            Column("Benchmark's"),
            Column("Points between"),
            Column("Usual from"),
            Column("Usual to"),
            Column("Response", "phrase"),
        ],
        [
            (
                row.figure("what", "text"),
                facts.basket_names[row["basket"]].figure("name", "text"),
                row.figure("basket_return_pct", "pct"),
                row.figure("benchmark_return_pct", "pct"),
                row.figure("relative_return_pct", "points"),
                row.figure("usual_low_pct", "bound"),
                row.figure("usual_high_pct", "bound"),
                say({True: "muted", False: "unusual", None: "not known"}[row["is_muted"]]),
            )
            for row in facts.reactions
        ],
    )
    targets = _table(
        "targets",
        say("Target prices stated on the day"),
        [
            Column("Security", "words"),
            Column("Symbol", "phrase"),
            Column("Broker", "words"),
            Column("Target"),
            Column("Currency", "words"),
            Column("Close"),
            Column("Target above close"),
        ],
        [
            (
                row.figure("name", "short_name"),
                row.figure("symbol", "text"),
                row.figure("broker", "text"),
                row.figure("target", "price"),
                row.figure("currency", "text"),
                row.figure("close", "price"),
                row.figure("upside_pct", "pct"),
            )
            for row in facts.targets
        ],
    )
    return Section("events", "Events and target prices", reactions + targets)


def _claims(facts: Facts) -> Section:
    rows = [
        (
            claim.figure("statement", "text"),
            claim.figure("source", "text"),
            say(VERDICTS[claim["verdict"]]),
            claim.figure("explanation", "text"),
        )
        for claim in facts.claims
    ]
    columns = [
        Column("Published", "words"),
        Column("By", "words"),
        Column("Verdict", "phrase"),
        Column("Why", "words"),
    ]
    return Section(
        "claims",
        "Published figures checked",
        _table("claims", say("What was published, and what the warehouse says"), columns, rows),
    )


def _tonight(facts: Facts) -> Section:
    """What is missing or flagged."""
    tables: list[Table] = []
    tables += _table(
        "coverage",
        say("Deliveries of the day that are missing or incomplete"),
        [
            Column("Feed", "words"),
            Column("Market", "words"),
            Column("Status", "words"),
            Column("Symbols due"),
            Column("Received"),
            Column("First missing", "words"),
        ],
        [
            (
                row.figure("feed", "text"),
                say(PLACES[row["market"]]),
                row.figure("status", "text"),
                row.figure("expected_symbols", "count"),
                row.figure("received_symbols", "count"),
                row.figure("first_missing_symbol", "text"),
            )
            for row in facts.coverage
        ],
    )
    tables += _table(
        "checks",
        say("Checks of the release that gave a warning"),
        [
            Column("Check", "phrase"),
            Column("Of", "phrase"),
            Column("Rows"),
            Column("Found", "words"),
        ],
        [
            (
                row.figure("check_name", "text"),
                row.figure("asset", "text"),
                row.figure("rows_found", "count"),
                row.figure("explanation", "shortened"),
            )
            for row in facts.failed_checks
        ],
    )
    tables += _table(
        "set-aside",
        say("Files set aside"),
        [Column("File", "words"), Column("Feed", "words"), Column("Why", "words")],
        [
            (row.figure("file", "text"), row.figure("feed", "text"), row.figure("reason", "text"))
            for row in facts.set_aside
        ],
    )
    tables += _table(
        "refused",
        say("Lines refused, of all files of the release"),
        [Column("Reason", "words"), Column("Lines"), Column("First file", "words")],
        [
            (
                row.figure("min(reason_code)", "text"),
                row.figure("count(*)", "count"),
                row.figure("min(file)", "text"),
            )
            for row in facts.refused
        ],
    )
    notes = []
    if facts.disagreements["count(*)"]:
        notes.append(
            say(
                "Feeds disagree on {count} figures of the day; `source_disagreement` has each.",
                count=facts.disagreements.figure("count(*)", "count"),
            )
        )
    if not tables and not notes:
        notes.append(say("Nothing is missing and no check gave a warning."))
    return Section("tonight", "Missing or flagged", tables, notes)
