"""Figures of securities, recomputed session by session.

Belongs here: which feed counts, the close before, the chain of returns, limits, outliers, float
capitalisation. Does not belong here: how a file is read, what groups of securities do.

The rules in words, each with the function that holds it:

- Of the feeds with a row of the session the one with the best priority counts (`_chosen`).
- The reference previous close is the feed's own, else its close at the market's session before
  (`_with_reference`).
- A price adjusted by difference is shifted where its own turnover ÷ volume is not a price between
  low and high, or a price as dealt of the session is another one; from there on no such price is
  trusted for 30 days (`_is_shifted`, `_Chain`).
- No change is taken from one price basis or adjusted feed to another, except by the later row's own
  reference; returns go on by the change of the feed before, and a record begins anew where nothing
  connects two closes (`_Chain.follow`, `_growth_of_feed_before`).
- Price limits need a price as dealt, and special treatment of the day (`_limits`).
"""

from collections import defaultdict
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from tests.recomputation.figures import MICRO, latest_at_or_beyond, pct, rounded

TRUSTED_AGAIN = pd.Timedelta(days=30).to_timedelta64()
NOT_ADJUSTED = "traded"
BY_DIFFERENCE = "adjusted_difference"
# In the mainland, in percent.
BEYOND_ANY_LIMIT = 22


class Close(NamedTuple):
    """A chosen row, as the chain needs it; prices in millionths."""

    trade_date: Any
    session_number: int
    feed: str
    basis: str
    close: float
    reference: float
    is_shifted: bool
    is_session_before_delivered: bool
    growth: float
    basis_of_growth: str


class _Chain:
    """Where a security stands after the closes so far."""

    def __init__(self) -> None:
        self.before: Close | None = None
        self.previous_close = np.nan
        self.is_trusted = False
        self.shifted: Any = None
        self.record_begins: Any = None
        self.factor = 1.0

    def follow(self, row: Close) -> dict[str, Any]:
        """The figures of the next close; `null_change` names the rule by which it has no change."""
        before, was_trusted = self.before, self.is_trusted
        if row.is_shifted:
            self.shifted = row.trade_date
        is_trusted = (
            row.basis == NOT_ADJUSTED
            or self.shifted is None
            or row.trade_date - self.shifted > TRUSTED_AGAIN
        )
        has_reference = not np.isnan(row.reference)
        is_same_scale = before is not None and (
            row.feed == before.feed or row.basis == before.basis == NOT_ADJUSTED
        )
        is_next = row.is_session_before_delivered or (
            before is not None and before.session_number == row.session_number - 1
        )
        previous_close, null_change = np.nan, None
        if not is_trusted:
            null_change = "price_shifted_by_difference"
        elif row.basis == BY_DIFFERENCE and before is not None and not was_trusted:
            null_change = "first_price_after_shifted_ones"
        elif has_reference:
            previous_close = row.reference
        elif before is None:
            null_change = "first_row"
        elif is_same_scale and is_next:
            previous_close = before.close
        else:
            null_change = "session_before_not_delivered" if is_same_scale else "other_price_basis"
        is_bridged = (
            is_trusted
            and was_trusted
            and before is not None
            and not (is_same_scale or has_reference or np.isnan(row.growth))
            and before.session_number == row.session_number - 1
            and (
                row.basis_of_growth != BY_DIFFERENCE
                or self.shifted is None
                or row.trade_date - self.shifted > TRUSTED_AGAIN
            )
        )
        is_connected = is_same_scale or is_bridged or (has_reference and is_next)
        if is_trusted and not (was_trusted and is_connected):
            self.record_begins = row.trade_date
        elif is_bridged and before is not None:
            self.factor *= before.close * row.growth / row.close
        elif is_trusted and is_next and has_reference and before is not None:
            self.factor *= before.close / row.reference
        figures = {
            "previous_trade_date": before.trade_date if before else np.datetime64("NaT"),
            "previous_close": previous_close,
            "null_change": null_change,
            "record_begins": self.record_begins if is_trusted else np.datetime64("NaT"),
            "return_index": np.round(row.close * self.factor) if is_trusted else np.nan,
            "is_reversal": self._is_reversal(row.close, previous_close),
            "is_listing": before is None and has_reference and row.is_session_before_delivered,
        }
        self.before, self.previous_close, self.is_trusted = row, previous_close, is_trusted
        return figures

    def _is_reversal(self, close: float, previous_close: float) -> bool:
        """Whether the move takes back the one before it: both half the price or more."""
        if self.before is None or np.isnan(previous_close) or np.isnan(self.previous_close):
            return False
        is_large = close > 1.5 * previous_close or 1.5 * close < previous_close
        both = (close * self.before.close) / (previous_close * self.previous_close)
        return is_large and 0.97 <= both <= 1.03


def figures(
    records: pd.DataFrame, calendar: pd.DataFrame, listed: pd.DataFrame, seeds: pd.DataFrame
) -> pd.DataFrame:
    """One row per security and session, with the names of security_performance.

    Args:
        records: every feed's rows (`vendor_files.records`).
        calendar: all sessions of the markets.
        listed: the lists of securities (`vendor_files.securities_listed`).
        seeds: sector of a symbol or an industry, with dates (`groups.assignments`).
    """
    delivered = set(zip(records["feed"], records["market"], records["session_number"], strict=True))
    volumes = records.groupby(["feed", "market", "trade_date"])["volume"].transform("max")
    # A day on which a vendor gives every security a volume of 0: it is not known.
    records = records.assign(volume=records["volume"].where(volumes > 0))
    frame = _chosen(_with_reference(records))
    frame = frame.merge(_is_shifted(records), "left", ["symbol", "trade_date"])
    frame["is_shifted"] = frame["is_shifted"].eq(True)
    frame["is_session_before_delivered"] = [
        (feed, market, number - 1) in delivered
        for feed, market, number in zip(
            frame["feed"], frame["market"], frame["session_number"], strict=True
        )
    ]
    frame = _chained(_growth_of_feed_before(frame, _with_reference(records)))
    frame = frame.merge(listed, "left", "symbol")
    frame = frame.merge(_first_sessions(frame, listed, calendar), "left", "symbol")
    since = frame["session_number"] - frame["first_session"] + 1
    frame["sessions_since_listing"] = since.where(since > 0)
    for name, column in _since(frame).items():
        frame[name] = column
    frame["change"] = frame["close"] - frame["previous_close"]
    frame["change_pct"] = pct(frame["close"], frame["previous_close"])
    frame["float_cap"] = _float_cap(records, frame)
    frame["sector"] = _sector(frame, seeds)
    frame["kind"] = frame["symbol"].map(kind)
    frame["board"] = frame["symbol"].map(board)
    frame["status"] = _status(frame)
    frame = frame.assign(**_limits(frame, since))
    frame["outlier_reason"] = _outlier_reason(frame)
    frame["is_outlier"] = frame["outlier_reason"].notna()
    return frame


# The row that counts, and the close before it


def _with_reference(records: pd.DataFrame) -> pd.DataFrame:
    own = records[["feed", "symbol", "session_number", "close"]].copy()
    own["session_number"] += 1
    own = own.rename(columns={"close": "own_before"})
    frame = records.merge(own, "left", ["feed", "symbol", "session_number"])
    stated = frame["stated"].fillna(frame["close"] - frame["stated_change"])
    # A reference of zero or less, after an adjustment by difference, is none.
    return frame.assign(reference=stated.where(stated > 0).fillna(
        frame["own_before"].where(stated.isna())))  # fmt: skip


def _chosen(frame: pd.DataFrame) -> pd.DataFrame:
    frame = frame.sort_values(["symbol", "trade_date", "priority", "feed"])
    return frame.drop_duplicates(["symbol", "trade_date"]).reset_index(drop=True)


def _is_shifted(records: pd.DataFrame) -> pd.Series:
    """Whether the prices of a security and session that are adjusted by difference are not dealt.

    Indexed by symbol and session; asked of every feed's rows, whether they count or not.
    """
    key = ["symbol", "trade_date"]
    dealt = _chosen(records[records["basis"] == NOT_ADJUSTED])[[*key, "close"]]
    frame = records[records["basis"] == BY_DIFFERENCE]
    frame = frame.merge(dealt.rename(columns={"close": "dealt"}), "left", key)
    low, high = frame["low"] / MICRO, frame["high"] / MICRO
    is_elsewhere = (
        (low <= 0)
        | (frame["turnover"] < 0.997 * frame["volume"] * low)
        | (frame["turnover"] > 1.003 * frame["volume"] * high)
        | (frame["dealt"].notna() & (frame["close"] != frame["dealt"]))
    )
    return is_elsewhere.groupby([frame[name] for name in key]).any().rename("is_shifted")


def _growth_of_feed_before(frame: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """Where another feed counts than at the row before: the growth that that feed gives itself."""
    frame = frame.assign(feed_before=frame.groupby("symbol")["feed"].shift())
    is_other = frame["feed_before"].notna() & (frame["feed_before"] != frame["feed"])
    crossings = frame.loc[is_other, ["symbol", "trade_date", "feed_before"]]
    rows = rows.assign(growth=rows["close"] / rows["reference"], basis_of_growth=rows["basis"])
    rows = rows.rename(columns={"feed": "feed_before"})
    columns = ["symbol", "trade_date", "feed_before"]
    grown = crossings.merge(rows[[*columns, "growth", "basis_of_growth"]], "inner", columns)
    return frame.merge(grown, "left", columns)


def _chained(frame: pd.DataFrame) -> pd.DataFrame:
    chains: dict[str, _Chain] = defaultdict(_Chain)
    columns = [frame[name].to_numpy() for name in Close._fields]
    followed = [
        chains[symbol].follow(Close(*row))
        for symbol, *row in zip(frame["symbol"], *columns, strict=True)
    ]
    return pd.concat([frame, pd.DataFrame(followed, frame.index)], axis=1)


def _since(frame: pd.DataFrame) -> dict[str, pd.Series]:
    """Since when a return index is the highest and the lowest of its record."""
    days = frame["trade_date"].to_numpy()
    found = {
        name: np.full(len(frame), np.datetime64("NaT"), days.dtype)
        for name in ("closing_high_since", "closing_low_since")
    }
    for places in frame.groupby(["symbol", "record_begins"]).indices.values():
        values = frame["return_index"].to_numpy()[places]
        for name, sign in (("closing_high_since", 1), ("closing_low_since", -1)):
            latest = np.array(latest_at_or_beyond(list(sign * values)))
            has_one = latest >= 0
            found[name][places[has_one]] = days[places[latest[has_one]]]
    return {name: pd.Series(column, frame.index) for name, column in found.items()}


# Identity and sector


def kind(symbol: str) -> str:
    """What a security of these files is, by its exchange's number ranges."""
    if symbol.endswith(".HK"):
        return "rmb_counter" if len(symbol) == 8 and symbol[0] == "8" else "share"
    if symbol.startswith("689"):
        return "depositary_receipt"
    if symbol.startswith(("900", "200")):
        return "b_share"
    return "share" if symbol.startswith(("60", "688", "00", "30")) else "other"


def board(symbol: str) -> str | None:
    """The board of a share: main, gem, star or chinext."""
    if symbol.endswith(".HK"):
        return "gem" if len(symbol) == 7 and symbol[0] == "8" else "main"
    if symbol.startswith(("688", "689")):
        return "star"
    if symbol.startswith("30"):
        return "chinext"
    return "main" if symbol.startswith(("60", "00", "900", "200")) else None


def _first_sessions(
    frame: pd.DataFrame, listed: pd.DataFrame, calendar: pd.DataFrame
) -> pd.DataFrame:
    """The number of each security's first session: stated by a list, else seen in the files."""
    is_first = frame["previous_trade_date"].isna() & ~frame["symbol"].str.endswith(".HK")
    is_free = is_first & (pct(frame["close"], frame["previous_close"]).abs() > BEYOND_ANY_LIMIT)
    seen = frame[frame["is_listing"] | is_free][["symbol", "trade_date"]]
    known = listed[["symbol", "listed"]].merge(seen, "outer", "symbol")
    known["from"] = known["listed"].fillna(known["trade_date"])
    known = known.dropna(subset="from")
    known["market"] = known["symbol"].str[-2:].map({"HK": "XHKG", "SH": "XSHG", "SZ": "XSHE"})
    sessions = calendar.sort_values("trade_date")[["market", "trade_date", "session_number"]]
    first = pd.merge_asof(
        known[["symbol", "market", "from"]].sort_values("from"),
        sessions.rename(columns={"trade_date": "from", "session_number": "first_session"}),
        on="from", by="market", direction="forward", tolerance=pd.Timedelta(days=15),
    )  # fmt: skip
    return first.dropna()[["symbol", "first_session"]]


def _sector(frame: pd.DataFrame, seeds: pd.DataFrame) -> pd.Series:
    """The sector given to a security itself, else that of its industry, on the day."""
    sector = pd.Series(None, frame.index, dtype=object)
    for key in (["symbol"], ["scheme", "industry"]):
        rows = frame[[*key, "trade_date"]].reset_index().merge(
            seeds[seeds[key].notna().all(axis=1)].drop(columns=["symbol", "scheme", "industry"])
            .assign(**{name: seeds[name] for name in key}), on=key
        )  # fmt: skip
        holds = (rows["valid_from"] <= rows["trade_date"]) & (
            rows["trade_date"] <= rows["valid_to"]
        )
        rows = rows[holds].sort_values("valid_from").drop_duplicates("index", keep="last")
        sector = sector.fillna(rows.set_index("index")["sector"].reindex(frame.index))
    return sector


# What follows from a row


def _status(frame: pd.DataFrame) -> pd.Series:
    stated = frame["is_trading"].map({"1": "traded", "0": "suspended"})
    moved = frame["previous_close"].notna() & (frame["close"] != frame["previous_close"])
    seen = pd.Series(None, frame.index, dtype=object)
    seen[frame["volume"] == 0] = "no_trade"
    seen[(frame["volume"] > 0) | moved] = "traded"
    return stated.where(stated.notna(), seen)


def _limits(frame: pd.DataFrame, since_listing: pd.Series) -> dict[str, pd.Series]:
    """limit_pct and at_limit: the board's limit of the day, from prices as dealt."""
    day = frame["trade_date"]
    is_wide = (frame["board"] == "star") | ((frame["board"] == "chinext") & (day >= "2020-08-24"))
    limit = frame["is_st"].map({"1": 5.0, "0": 10.0})
    limit = limit.mask(is_wide, 20.0)
    is_judged = (
        (frame["basis"] == NOT_ADJUSTED)
        & (frame["region"] == "mainland")
        & frame["board"].notna()
        & ~(since_listing <= np.where(is_wide | (day >= "2023-04-10"), 5, 1))
    )
    limit = limit.where(is_judged)
    at_limit = pd.Series(None, frame.index, dtype=object)
    for side, sign in (("up", 1), ("down", -1)):
        # To the fen, a half upwards; in whole numbers.
        fen = (frame["previous_close"] * (100 + sign * limit) / MICRO + 0.5) // 1
        at_limit[frame["close"] == fen * MICRO / 100] = side
    return {"limit_pct": limit, "at_limit": at_limit}


def _outlier_reason(frame: pd.DataFrame) -> pd.Series:
    change, reason = frame["change_pct"], pd.Series(None, frame.index, dtype=object)
    reason[(change >= 300) | (change <= -75)] = "implausible_step"
    reason[(frame["region"] == "mainland") & (change.abs() > BEYOND_ANY_LIMIT)] = "beyond_any_limit"
    reason[frame["is_reversal"]] = "reversed_step"
    reason[frame["sessions_since_listing"].between(1, 5)] = "new_listing"
    return reason


def _float_cap(records: pd.DataFrame, frame: pd.DataFrame) -> pd.Series:
    """Turnover ÷ turnover rate, the median of the twenty sessions before, of five at least."""
    rated = records[(records["rate"] > 0) & (records["turnover"] > 0)]
    rated = rated.sort_values("priority").drop_duplicates(["symbol", "session_number"])
    rated = rated.assign(estimate=100 * rated["turnover"] / rated["rate"])
    found = []
    for symbol, series in rated.groupby("symbol"):
        estimate = series.set_index("session_number")["estimate"].sort_index()
        numbers = range(estimate.index[0], estimate.index[-1] + 22)
        median = estimate.reindex(numbers).rolling(20, min_periods=5).median().shift(1)
        found.append(pd.DataFrame({"symbol": symbol, "float_cap": rounded(median, 2)}))
    caps = pd.concat(found).rename_axis("session_number").reset_index()
    keys = frame[["symbol", "session_number"]]
    return keys.merge(caps, "left", ["symbol", "session_number"])["float_cap"]
