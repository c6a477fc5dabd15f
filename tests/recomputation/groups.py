"""Figures of groups of securities, recomputed from those of the securities.

Belongs here: members, averages, ranks, weighting, chained levels, breadth. Does not belong here:
anything about one security.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from tests.recomputation.figures import MICRO, latest_at_or_beyond, rounded

FEWEST_RANKED = 5
SHARES = ["share", "depositary_receipt"]
GROUP = ["trade_date", "region", "level", "sector"]
_END = pd.Timestamp("2199-12-31")


def _dated(path: Path) -> pd.DataFrame:
    frame = pd.read_csv(path, dtype=str)
    valid_to = pd.to_datetime(frame["valid_to"]).fillna(_END)
    return frame.assign(valid_from=pd.to_datetime(frame["valid_from"]), valid_to=valid_to)


def assignments(seeds: Path) -> pd.DataFrame:
    """Sectors of symbols and of industries, with their dates."""
    frames = [_dated(seeds / f"{name}.csv") for name in ("security_sector", "industry_sector")]
    columns = ["symbol", "scheme", "industry", "sector", "valid_from", "valid_to"]
    return pd.concat(frames, ignore_index=True).reindex(columns=columns)


def members(securities: pd.DataFrame, seeds: Path) -> pd.DataFrame:
    """One row per group, member and session; `averaged` is the change where it counts.

    That one is in millionths, which are whole numbers and add up exactly.
    """
    frame = securities[securities["kind"].isin(SHARES)]
    # A suspended share has not moved, and is not unchanged.
    frame = frame.assign(change_pct=frame["change_pct"].where(frame["status"] != "suspended"))
    counted = frame["change_pct"].where(~frame["is_outlier"])
    frame["averaged"] = (counted * MICRO).round()
    basket = _dated(seeds / "basket_member.csv").merge(
        pd.read_csv(seeds / "basket.csv")[["basket", "region"]], on="basket"
    )
    in_basket = frame.drop(columns=["region", "sector"]).merge(basket, on="symbol")
    holds = in_basket["trade_date"].between(in_basket["valid_from"], in_basket["valid_to"])
    levels = [
        frame.assign(level="market", sector=frame["region"]),
        frame[frame["sector"].notna()].assign(level="sector"),
        frame[frame["industry"].notna()].assign(level="industry", sector=frame["industry"]),
        in_basket[holds].assign(level="basket", sector=in_basket["basket"]),
    ]
    columns = [*GROUP, "symbol", "name", "status", "change_pct", "averaged", "turnover",
               "float_cap"]  # fmt: skip
    return pd.concat([level[columns] for level in levels], ignore_index=True)


def weighting(securities: pd.DataFrame) -> pd.DataFrame:
    """What ranks a region on a session: float_cap where it is known for four fifths of turnover."""
    frame = securities[securities["kind"].isin(SHARES)]
    frame = frame.assign(with_cap=frame["turnover"].where(frame["float_cap"].notna()))
    day = frame.groupby(["region", "trade_date"])[["turnover", "with_cap"]].sum()
    # The twenty sessions before; fewer at the start.
    before = day.groupby("region").transform(lambda of: of.rolling(20, min_periods=1).sum().shift())
    is_known = (before["turnover"] > 0) & (before["with_cap"] >= 0.8 * before["turnover"])
    return pd.DataFrame({"weighting": np.where(is_known, "float_cap", "equal")}, day.index)


def performance(member: pd.DataFrame, weighting: pd.DataFrame) -> pd.DataFrame:
    """One row per group and session, with the names of sector_performance."""
    change, averaged, turnover = member["change_pct"], member["averaged"], member["turnover"]
    counts = averaged.notna()
    parts = pd.DataFrame(
        {
            "members": 1.0,
            "traded": member["status"] == "traded",
            "suspended": member["status"] == "suspended",
            "unknown": (member["status"] == "traded") & turnover.isna(),
            "advancers": change > 0,
            "decliners": change < 0,
            "unchanged": change == 0,
            "changes": change.notna(),
            "counted": counts,
            "sum": averaged,
            "turnover": turnover,
            "turnover_counted": turnover.where(counts),
            "sum_by_turnover": averaged * turnover,
            "turnover_with_cap": turnover.where(member["float_cap"].notna()),
            "cap_counted": member["float_cap"].where(counts),
            "sum_by_cap": averaged * member["float_cap"],
        }
    ).astype(float)
    frame = parts.groupby([member[name] for name in GROUP]).sum(min_count=1).reset_index()
    frame = frame.merge(weighting.reset_index(), on=["region", "trade_date"])
    # An average of fewer than half of those that could change would speak for the others too.
    is_known = (2 * frame["changes"] >= frame["members"] - frame["suspended"]) & (
        frame["counted"] > 0
    )
    has_turnover = frame["unknown"] == 0
    frame["change_pct_equal"] = _average(frame["sum"], frame["counted"]).where(is_known)
    by_turnover = _average(frame["sum_by_turnover"], frame["turnover_counted"])
    is_weighted = is_known & has_turnover & (frame["turnover_counted"] > 0)
    frame["change_pct_turnover"] = by_turnover.where(is_weighted)
    by_cap = _average(frame["sum_by_cap"], frame["cap_counted"])
    frame["change_pct_cap"] = by_cap.where(is_known & (frame["cap_counted"] > 0))
    frame["change_pct"] = frame["change_pct_cap"].where(
        frame["weighting"] == "float_cap", frame["change_pct_equal"]
    )
    frame["coverage_pct"] = 100 * frame["turnover_with_cap"] / frame["turnover"]
    level = [frame[name] for name in GROUP[:3]]
    is_level_known = frame["unknown"].groupby(level).transform("sum") == 0
    known = frame["turnover"].where(is_level_known)
    frame["turnover_share_pct"] = 100 * known / known.groupby(level).transform("sum")
    frame["turnover"] = frame["turnover"].where(has_turnover)
    return _ranked(frame)


def _average(sums: pd.Series, weights: pd.Series) -> pd.Series:
    """A mean of millionths in percent points, with six decimals as published."""
    return rounded(sums / MICRO / weights)


def _ranked(frame: pd.DataFrame) -> pd.DataFrame:
    is_ranked = (frame["traded"] >= FEWEST_RANKED) & (frame["level"] != "market")
    # Groups that look equal rank by name.
    change = frame["change_pct"].where(is_ranked)
    for name, is_rising in (("rank_best", False), ("rank_worst", True)):
        order = frame.assign(ranked=change).dropna(subset="ranked")
        order = order.sort_values(["ranked", "sector"], ascending=[is_rising, True])
        frame[name] = order.groupby(GROUP[:3]).cumcount() + 1.0
    return frame


def leaders_laggards(performance: pd.DataFrame, member: pd.DataFrame) -> pd.DataFrame:
    """The five best and worst groups of each level, with the member that moved most."""
    sides = []
    for side, rank, is_rising in (("leader", "rank_best", False), ("laggard", "rank_worst", True)):
        of = performance[performance[rank] <= 5].rename(columns={rank: "rank"})
        movers = member.dropna(subset="averaged").merge(of[[*GROUP, "rank"]], on=GROUP)
        movers = movers.sort_values(["averaged", "symbol"], ascending=[is_rising, True])
        movers = movers.drop_duplicates(GROUP)[[*GROUP, "symbol", "name", "change_pct"]]
        movers.columns = [*GROUP, "top_symbol", "top_name", "top_change_pct"]
        sides.append(of.assign(side=side).merge(movers, on=GROUP))
    columns = [*GROUP, "side", "rank", "change_pct", "weighting", "members", "advancers",
               "decliners", "top_symbol", "top_name", "top_change_pct"]  # fmt: skip
    return pd.concat(sides, ignore_index=True)[columns]


def index(performance: pd.DataFrame) -> pd.DataFrame:
    """The ranking changes of each group chained from 100 at its first session."""
    frame = performance.sort_values(["region", "level", "sector", "trade_date"])
    by = ["region", "level", "sector"]
    is_first = ~frame.duplicated(by)
    step = (1 + frame["change_pct"] / 100).fillna(1.0).mask(is_first, 1.0)
    level = rounded(100 * step.groupby([frame[name] for name in by]).cumprod())
    is_known = frame["change_pct"].notna()
    frame = frame[[*GROUP, "weighting"]].assign(level_of_chain=level, is_known=is_known)
    frame["index_level"] = level.where(is_known)
    days = frame["trade_date"]
    starts = {
        "return_wtd_pct": days - pd.to_timedelta(days.dt.day_of_week, "D"),
        "return_mtd_pct": days.dt.to_period("M").dt.start_time,
        "return_ytd_pct": days.dt.to_period("Y").dt.start_time,
    }
    for name, start in starts.items():
        frame[name] = 100 * (level / _level_before(frame, start) - 1)
    return frame


def high_since(levels: pd.DataFrame) -> pd.DataFrame:
    """Since when each level is the highest, by the levels as published.

    A level that is not known stands where it stood, at first at 100.
    """
    frame = levels[[*GROUP, "index_level"]].sort_values([*GROUP[1:], "trade_date"])
    frame = frame.reset_index(drop=True)
    level = frame.groupby(GROUP[1:])["index_level"].ffill().fillna(100).to_numpy()
    days = frame["trade_date"].to_numpy()
    since = np.full(len(frame), np.datetime64("NaT"), days.dtype)
    for places in frame.groupby(GROUP[1:]).indices.values():
        found = np.array(latest_at_or_beyond(list(level[places])))
        since[places[found >= 0]] = days[places[found[found >= 0]]]
    since[frame["index_level"].isna()] = np.datetime64("NaT")
    return frame[GROUP].assign(closing_high_since=since)


def _level_before(frame: pd.DataFrame, start: pd.Series) -> pd.Series:
    """The level at the last session before a day, at most three weeks before."""
    asked = frame[GROUP[1:]].assign(at=start - pd.Timedelta(days=1)).reset_index()
    known = frame[[*GROUP, "level_of_chain"]].rename(columns={"trade_date": "at"})
    found = pd.merge_asof(
        asked.sort_values("at"), known.sort_values("at"), on="at", by=GROUP[1:],
        tolerance=pd.Timedelta(days=20),
    )  # fmt: skip
    return found.set_index("index")["level_of_chain"].reindex(frame.index)


def breadth(securities: pd.DataFrame, amounts: pd.DataFrame) -> pd.DataFrame:
    """One row per market and session, with the names of market_breadth."""
    frame = securities[securities["kind"].isin(SHARES)]
    change = frame["change_pct"].where(frame["status"] != "suspended")
    year_start = frame["trade_date"] - pd.Timedelta(days=364)
    is_long = (frame["record_begins"] <= year_start) & (frame["previous_trade_date"] >= year_start)
    no_higher = ~(frame["closing_high_since"] >= year_start)
    no_lower = ~(frame["closing_low_since"] >= year_start)
    parts = pd.DataFrame(
        {
            "securities_reported": 1.0,
            "advancers": change > 0,
            "decliners": change < 0,
            "unchanged": change == 0,
            "statuses": frame["is_trading"].notna(),
            "suspended": frame["status"] == "suspended",
            "new_highs_52w": is_long & no_higher,
            "new_lows_52w": is_long & no_lower,
            "limits": frame["limit_pct"].notna(),
            "limit_up": frame["at_limit"] == "up",
            "limit_down": frame["at_limit"] == "down",
            "turnover": frame["turnover"],
        }
    ).astype(float)
    key = ["market", "trade_date"]
    counted = parts.groupby([frame[name] for name in key]).sum(min_count=1).reset_index()
    counted = counted.merge(amounts, "left", key)
    counted["suspended"] = counted["suspended"].where(counted["statuses"] > 0)
    for name in ("limit_up", "limit_down"):
        counted[name] = counted[name].where(counted["limits"] > 0)
    counted["turnover_coverage_pct"] = 100 * counted["turnover"] / counted["amount"]
    return counted.drop(columns=["statuses", "limits", "turnover", "amount"])
