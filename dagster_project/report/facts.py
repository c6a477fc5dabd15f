"""Facts: the rows of the published file that the report of one trade date is made from.

Belongs here: which rows are read, in which order. Does not belong here: what is said about them
(`text.py`), how they are laid out (`tables.py`, `charts.py`).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from dagster_project.report.figures import Figure, Reference, Row, RowKey
from dagster_project.report.published import Published

# The index that a region's close is told by; it comes first.
HEADLINE_INDEX = {"hong_kong": "HSI", "mainland": "000001.SH"}
REGIONS = tuple(HEADLINE_INDEX)
MOVERS = 5
# Sessions a chart looks back where the level was last seen more recently, or never.
LOOK_BACK = 250
TURNOVER_LOOK_BACK = 60


class ReportError(RuntimeError):
    """A report cannot be written; the message says what to do."""


@dataclass(frozen=True)
class Facts:
    """The rows of one trade date; a session's rows are empty where nothing was delivered."""

    report: Row
    release: Row
    markets: Sequence[Row]
    sessions: Mapping[str, Row]
    """Market -> its session on the trade date; none where it was closed."""
    last_sessions: Mapping[str, Row]
    """Market -> its session before the trade date; none where the calendar has none."""
    followed: Sequence[Row]
    """The indices that the warehouse follows, whether they have a close or not."""
    indices: Sequence[Row]
    sectors: Sequence[Row]
    baskets: Sequence[Row]
    basket_members: Mapping[str, Sequence[Row]]
    """Basket -> its securities that have a change."""
    sector_names: Mapping[str, Row]
    """Sector -> the row that has its name."""
    basket_names: Mapping[str, Row]
    """Basket -> the row that has its name."""
    gainers: Mapping[str, Sequence[Row]]
    losers: Mapping[str, Sequence[Row]]
    turnovers: Mapping[str, Row]
    """Market -> its turnover."""
    scopes: Mapping[str, Row]
    """Scope -> turnover across its markets."""
    breadth: Mapping[str, Row]
    claims: Sequence[Row]
    verdicts: Mapping[str, Row]
    """Verdict, and `all` -> number of claims that have it."""
    reactions: Sequence[Row]
    """Baskets' responses to events, on the first session after."""
    targets: Sequence[Row]
    """Target prices that brokers stated on the day."""
    failed_checks: Sequence[Row]
    coverage: Sequence[Row]
    """Deliveries that are missing or incomplete."""
    set_aside: Sequence[Row]
    refused: Sequence[Row]
    """Lines refused for one reason: `count(*)`, `min(reason_code)`, `min(file)`."""
    disagreements: Row
    first_day: Callable[[Row], Figure | None] = field(default=lambda row: None)
    """An index or security -> its first day in the warehouse."""
    index_history: Mapping[str, Sequence[tuple[date, float]]] = field(default_factory=dict)
    turnover_history: Mapping[str, Sequence[tuple[date, float, float | None]]] = field(
        default_factory=dict
    )

    @property
    def trade_date(self) -> date:
        day: date = self.report["trade_date"]
        return day

    @property
    def is_closed(self) -> bool:
        """Whether no market traded."""
        return not self.sessions

    def open_markets(self, region: str) -> list[Row]:
        return [
            market
            for market in self.markets
            if market["region"] == region and market["market"] in self.sessions
        ]


def gather(published: Published) -> Facts:
    """Read the facts of a trade date.

    Raises:
        ReportError: the release does not reach to the date.
    """
    day = published.trade_date
    (release,) = published.rows("release", "order by release_id desc limit 1")
    sessions = {
        row["market"]: row
        for row in published.rows("dim_session", "where trade_date = ? order by market", [day])
    }
    _check_asked(published, day, release["clock"])
    indices = published.rows("index_performance", "where trade_date = ?", [day])
    indices.sort(key=_index_order)
    sector_rows = published.rows(
        "sector_performance",
        """where trade_date = ? and level in ('sector', 'basket') and rank_best is not null
        order by region, level, rank_best""",
        [day],
    )
    baskets = [row for row in sector_rows if row["level"] == "basket"]
    turnovers = published.rows("market_turnover", "where trade_date = ?", [day])
    return Facts(
        report=published.report,
        release=release,
        # Hong Kong first, as its close is the later one; Shanghai before Shenzhen.
        markets=published.rows("dim_market", "order by region, market desc"),
        sessions=sessions,
        last_sessions={
            row["market"]: row
            for row in published.rows(
                "dim_session",
                """where trade_date < ?
                qualify row_number() over (partition by market order by trade_date desc) = 1""",
                [day],
            )
        },
        followed=sorted(published.rows("dim_index", "order by symbol"), key=_index_order),
        indices=indices,
        sectors=[row for row in sector_rows if row["level"] == "sector"],
        baskets=baskets,
        basket_members={
            row["sector"]: published.rows(
                "security_performance",
                """where trade_date = ? and change_pct is not null and symbol in (
                    select symbol from seed.basket_member where basket = ? and ? >= valid_from
                    and (valid_to is null or ? <= valid_to)) order by symbol""",
                [day, row["sector"], day, day],
            )
            for row in baskets
        },
        sector_names={
            row["sector"]: row for row in published.rows("dim_sector", "order by sector")
        },
        basket_names={
            row["basket"]: row for row in published.rows("seed.basket", "order by basket")
        },
        gainers={region: _movers(published, region, "> 0", "desc") for region in REGIONS},
        losers={region: _movers(published, region, "< 0", "asc") for region in REGIONS},
        turnovers={row["market"]: row for row in turnovers},
        scopes={
            row["scope"]: row
            for row in published.rows("cross_market_turnover", "where trade_date = ?", [day])
        },
        breadth={
            row["market"]: row
            for row in published.rows("market_breadth", "where trade_date = ?", [day])
        },
        claims=published.rows(
            "published_figure_check",
            """where trade_date = ?
            order by verdict <> 'contradicted', verdict <> 'no_data', claim_id""",
            [day],
        ),
        verdicts=_counts(published, "published_figure_check", "verdict", trade_date=day)
        | {"all": published.total("published_figure_check", "count(*)", trade_date=day)},
        reactions=published.rows(
            "event_reaction",
            """where trade_date = ? and relative_return_pct is not null
            order by event_date desc, event_id, region, basket""",
            [day],
        ),
        targets=published.rows(
            "target_price",
            "where target_date = ? and name is not null order by symbol, broker",
            [day],
        ),
        failed_checks=published.rows(
            "release_check",
            "where not passed and release_id = ? order by asset, check_name",
            [release["release_id"]],
        ),
        coverage=published.rows(
            "session_coverage",
            "where trade_date = ? and status <> 'complete' order by feed, market",
            [day],
        ),
        set_aside=published.rows("file_load", "where status = 'set_aside' order by file"),
        refused=list(
            _counts(
                published, "rejected_row", "reason_code", ("min(reason_code)", "min(file)")
            ).values()
        ),
        disagreements=published.total("source_disagreement", "count(*)", trade_date=day),
        first_day=lambda row: _first_day(published, row),
        index_history={row["symbol"]: _closes(published, row) for row in indices},
        turnover_history={row["market"]: _turnovers(published, row) for row in turnovers},
    )


def level_last_seen(row: Row) -> str | None:
    """The column that says when the level of an index's or a security's close was last seen.

    After a rise the session that closed at or above it, after a fall at or below it; None where
    nothing moved or no earlier close is known.
    """
    if row["change"] is None or row["change"] == 0:
        return None
    return "closing_high_since" if row["change"] > 0 else "closing_low_since"


def _check_asked(published: Published, day: date, clock: date) -> None:
    (first,) = published.con.execute(
        "select min(trade_date) from main.dim_session where is_asked"
    ).fetchone() or (None,)
    asked = first is not None and first <= day <= clock
    if asked and not _is_missing_session(published, day):
        return
    raise ReportError(
        f"the release holds nothing of {day}: runs have asked for {first} to {clock}. "
        f"Run `make nightly DATE={day}` first."
    )


def _is_missing_session(published: Published, day: date) -> bool:
    """Whether markets traded on a day that no run has asked for."""
    sessions = published.con.execute(
        "select is_asked from main.dim_session where trade_date = ?", [day]
    ).fetchall()
    return bool(sessions) and not any(is_asked for (is_asked,) in sessions)


def _index_order(row: Row) -> tuple[bool, bool, str]:
    return (
        row["region"] != REGIONS[0],
        row["symbol"] != HEADLINE_INDEX.get(row["region"]),
        row["symbol"],
    )


def _movers(published: Published, region: str, sign: str, order: str) -> list[Row]:
    return published.rows(
        "security_performance",
        f"""where trade_date = ? and region = ? and status = 'traded' and change_pct {sign}
        order by change_pct {order}, symbol limit {MOVERS}""",
        [published.trade_date, region],
    )


def _counts(
    published: Published, table: str, column: str, measures: Sequence[str] = (), **key: date
) -> dict[str, Row]:
    """Value of a column -> the rows that have it, as one with `count(*)` and other measures."""
    condition = " and ".join(f"{name} = ?" for name in key) or "true"
    found = published.con.execute(
        f"select distinct {column} from main.{table} where {condition} order by 1",
        list(key.values()),
    ).fetchall()
    counts = {}
    for (value,) in found:
        total = published.total(table, "count(*)", **key, **{column: value})
        values = {measure: published.value(total.row_key, measure) for measure in measures}
        counts[value] = Row(total.row_key, {**total.values, **values})
    return counts


def _first_day(published: Published, row: Row) -> Figure | None:
    if row.row_key.table == "index_performance":
        key = RowKey.of("index_performance", symbol=row["symbol"])
        return published.figure(Reference(key, "min(trade_date)", "date"))
    key = RowKey.of("dim_security", symbol=row["symbol"])
    return published.figure(Reference(key, "first_trade_date", "date"))


def _closes(published: Published, row: Row) -> list[tuple[date, float]]:
    """Session and close of an index, from when its level was last seen to the trade date."""
    column = level_last_seen(row)
    since = row[column] if column else None
    (first,) = published.con.execute(
        f"""select min(trade_date) from (
            select trade_date from main.index_performance where symbol = ? and trade_date <= ?
            order by trade_date desc limit {LOOK_BACK})""",
        [row["symbol"], published.trade_date],
    ).fetchone() or (published.trade_date,)
    return published.con.execute(
        """select trade_date, cast(close as double) from main.index_performance
        where symbol = ? and trade_date between ? and ? order by trade_date""",
        [row["symbol"], min(first, since or first), published.trade_date],
    ).fetchall()


def _turnovers(published: Published, row: Row) -> list[tuple[date, float, float | None]]:
    """Session, turnover and its twenty-day average of a market, up to the trade date."""
    found = published.con.execute(
        f"""select trade_date, cast(turnover as double), cast(average_20d as double)
        from main.market_turnover where market = ? and trade_date <= ?
        order by trade_date desc limit {TURNOVER_LOOK_BACK}""",
        [row["market"], published.trade_date],
    ).fetchall()
    return found[::-1]
