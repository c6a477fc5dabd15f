"""What a figure means: years of real files, and what an analyst would hold them to.

Belongs here: the statements about published figures, each counted from the vendors' files. Does not
belong here: how a figure is recomputed (`tests.recomputation`), corrupted files (`corruption.py`).

    python -m tests.proof.market --out FILE [--landing FOLDER] [--home HOME] [--seed 1]

Without `--landing` the real files are laid out from the folder that the tests read; `--home` names
a home that was already built from such files. A second home is built from the shares that two
vendors have, the better one without a tenth of its rows, drawn by lot. Exit status 1 if a statement
does not hold.
"""

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd

from dagster_project.home import PROJECT_ROOT, Home
from dagster_project.warehouse.connection import connect
from tests.proof.journal import project_version
from tests.proof.market_curves import curves, draw
from tests.recomputation.figures import MICRO
from tests.recomputation.market import Recomputed, compared, recompute
from tests.support import place_real_files

FIRST, LAST = "2020-01-02", "2025-10-31"
DEALT, BY_DIFFERENCE = "baostock_a_share", "eastmoney_a_share"
# The vendor rounds to four decimals, and in some rows of 2020 the last of them otherwise.
VENDOR_PRECISION, LAST_DIGIT = 0.0000501, 0.0001
LEAST_CORRELATION = 0.9
# On 17 September 2025, of 3,041 shares: these rose most, and these fell.
LEADERS, LAGGARDS = {"power_equipment", "automobiles"}, {"agriculture", "liquor"}
REPORTS = ("2024-10-11", "2025-01-10", "2025-10-30")
KEY = ["symbol", "trade_date"]


def build(home: Home) -> None:
    """Publish a home's landing files by the real command."""
    done = subprocess.run(
        [sys.executable, "-m", "dagster_project.cli", "backfill", FIRST, LAST],
        cwd=PROJECT_ROOT,
        env=os.environ | {"CLOSING_BELL_HOME": str(home.root)},
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"no release of {home.root}:\n{done.stdout[-4000:]}")


def seamed_landing(landing: Path, target: Path, seed: int) -> int:
    """The shares that both vendors have, every tenth row of one removed by lot; how many shares."""
    choose = random.Random(seed)
    for feed in ("tushare_daily", "tushare_stock_list", "baostock_index"):
        shutil.copytree(landing / feed, target / feed)
    for feed in (DEALT, BY_DIFFERENCE):
        (target / feed).mkdir()
    shares = 0
    for path in sorted((landing / DEALT).glob("*.csv")):
        other = landing / BY_DIFFERENCE / f"{path.stem.partition('.')[2]}.csv"
        if not other.exists():
            continue
        header, *rows = path.read_text("utf-8").splitlines(keepends=True)
        kept = [row for row in rows if choose.random() >= 0.1]
        (target / DEALT / path.name).write_text("".join([header, *kept]), "utf-8")
        shutil.copy2(other, target / BY_DIFFERENCE)
        shares += 1
    return shares


# Statements: each gives its counts, and whether it holds


def recomputation(of: Recomputed, con: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    """Every row of the published tables is what plain pandas makes of the files."""
    found = compared(of, con)
    without = of.securities[of.securities["change_pct"].isna()]
    rejected = con.execute(
        "select feed || ' ' || reason_code, count(*) from main.rejected_row group by 1 order by 1"
    ).fetchall()
    return {
        "holds": all(each.is_equal for each in found.values())
        and bool(without["null_change"].notna().all()),
        "rows": {name: each.rows for name, each in found.items()},
        "rows_different": {
            name: each.missing + each.extra + sum(each.different.values())
            for name, each in found.items()
        },
        "changes_not_known": {
            f"{feed} {rule}": len(rows)
            for (feed, rule), rows in without.groupby(["feed", "null_change"])
        },
        "rows_rejected": dict(rejected),
        "examples": [line for each in found.values() for line in each.examples],
    }


def vendor_changes(published: pd.DataFrame, records: pd.DataFrame) -> dict[str, Any]:
    """change_pct is the vendor's own, on every traded row of which that is known."""
    stated = records[records["pct_chg"].notna() & (records["is_trading"] == "1")]
    rows = published.merge(stated[[*KEY, "pct_chg"]], on=KEY)
    off_by = (rows["change_pct"] - rows["pct_chg"]).abs()
    # A change that is not known is none that differs; but prices as dealt all have one.
    is_missing = rows["change_pct"].isna() & (rows["price_basis"] == "traded")
    worst = rows[off_by >= LAST_DIGIT].head(5)
    return {
        "holds": len(rows) > 0 and not (off_by >= LAST_DIGIT).any() and not is_missing.any(),
        "rows": {feed: len(of) for feed, of in rows.groupby("feed")},
        "rows_different": int((off_by >= LAST_DIGIT).sum()),
        "changes_missing": int(is_missing.sum()),
        "vendor_rounds_last_digit_otherwise": int(
            ((off_by > VENDOR_PRECISION) & (off_by < LAST_DIGIT)).sum()
        ),
        "not_known_and_null": int(rows["change_pct"].isna().sum() - is_missing.sum()),
        "examples": worst[[*KEY, "feed", "change_pct", "pct_chg"]].astype(str).values.tolist(),
    }


def limits(published: pd.DataFrame, securities: pd.DataFrame) -> dict[str, Any]:
    """Limits hit are those of preclose, board and isST of the day, all of them."""
    rows = securities[securities["feed"] == DEALT]
    rows = rows.merge(published[[*KEY, "at_limit", "limit_pct"]], on=KEY, suffixes=("_", ""))
    day = rows["trade_date"]
    wide = rows["symbol"].str.startswith(("688", "689")) | (
        rows["symbol"].str.startswith("30") & (day >= "2020-08-24")
    )
    percent = np.where(wide, 20, np.where(rows["is_st"] == "1", 5, 10))
    fen = rows["stated"] / (MICRO / 100)
    up, down = ((fen * (100 + sign * percent) / 100 + 0.5) // 1 for sign in (1, -1))
    close = rows["close"] / (MICRO / 100)
    expected = np.where(close == up, "up", np.where(close == down, "down", ""))
    first = np.where(wide | (day >= "2023-04-10"), 5, 1)
    is_free = (rows["sessions_since_listing"] <= first).to_numpy()
    expected = np.where(is_free, "", expected)
    actual = rows["at_limit"].fillna("")
    return {
        "holds": bool((actual == expected).all()) and (expected == "up").sum() > 0,
        "rows": len(rows),
        "limit_up": int((expected == "up").sum()),
        "limit_down": int((expected == "down").sum()),
        "rows_different": int((actual != expected).sum()),
        "first_sessions_without_limit": int(is_free.sum()),
    }


def two_vendors(published: pd.DataFrame, records: pd.DataFrame) -> dict[str, Any]:
    """Where the adjusted feed's row is not the traded price it is said, and has no change."""
    adjusted = records[records["feed"] == BY_DIFFERENCE][[*KEY, "close"]]
    dealt = records[records["feed"] == DEALT][[*KEY, "close"]]
    both = adjusted.merge(dealt, on=KEY, suffixes=("", "_dealt"))
    shares = set(both["symbol"])
    rows = published[published["symbol"].isin(shares)]
    shown = rows.merge(both[both["close"] != both["close_dealt"]], on=KEY, suffixes=("", "_"))
    used = rows[rows["feed"] == BY_DIFFERENCE]
    basis = {"tushare_daily": "traded", DEALT: "traded", BY_DIFFERENCE: "adjusted_difference"}
    wrong = (rows["price_basis"] != rows["feed"].map(basis)).sum()
    return {
        "holds": len(shares) > 0 and not wrong and (shown["price_basis"] == "traded").all(),
        "shares_in_both": len(shares),
        "sessions_in_both": len(both),
        "adjusted_price_not_as_dealt": int((both["close"] != both["close_dealt"]).sum()),
        "of_these_published_as_dealt": int((shown["price_basis"] == "traded").sum()),
        "adjusted_rows_published": len(used),
        "of_these_without_a_change": int(used["change_pct"].isna().sum()),
        "basis_not_said": int(wrong),
    }


def seams(published: pd.DataFrame, of: Recomputed, records: pd.DataFrame) -> dict[str, Any]:
    """No change is taken across two price bases, and none differs from the complete files."""
    rows = of.securities.sort_values(KEY)[[*KEY, "feed", "basis", "reference"]]
    rows = rows.merge(published[[*KEY, "previous_close"]], on=KEY)
    before = rows.groupby("symbol")["basis"].shift()
    seam = rows[before.notna() & (before != rows["basis"])]
    known = seam[seam["previous_close"].notna()]
    # Only the row's own feed may say what its close is compared with.
    across = (known["previous_close"] * MICRO - known["reference"]).abs() > 0.5
    across |= known["reference"].isna()
    changes = vendor_changes(published, records)
    return {
        "holds": changes["holds"] and len(seam) > 0 and not across.any(),
        "seams": len(seam),
        "seams_with_own_reference": len(known),
        "changes_across_two_bases": int(across.sum()),
        **{name: value for name, value in changes.items() if name != "holds"},
    }


def leaders(con: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    """The sectors that the market would name, each with members and coverage."""
    rows = con.execute(
        """select side, rank, sector, change_pct, sides.members, coverage_pct
        from main.sector_leaders_laggards as sides
        join (select trade_date, region, level, sector, coverage_pct from main.sector_performance)
            using (trade_date, region, level, sector)
        where trade_date = '2025-09-17' and level = 'sector' and region = 'mainland'
        order by side, rank"""
    ).fetchall()
    found = {side: {row[2] for row in rows if row[0] == side} for side in ("leader", "laggard")}
    return {
        "holds": found["leader"] >= LEADERS
        and found["laggard"] >= LAGGARDS
        and all(row[4] and row[5] is not None for row in rows),
        "sectors": [
            f"{side} {rank}: {sector} {change:+.2f} %, {members} members, coverage {coverage:.0f} %"
            for side, rank, sector, change, members, coverage in rows
            if coverage is not None
        ],
    }


def reports(con: duckdb.DuckDBPyConnection, of: Recomputed) -> dict[str, Any]:
    """No sector leads or lags by a first day, a spike, or fewer than five members."""
    ranked = con.execute(
        """select trade_date, region, level, sector, side, rank, top_symbol, change_pct
        from main.sector_leaders_laggards
        where level = 'sector' and list_contains(?, trade_date)""",
        [[date.fromisoformat(day) for day in REPORTS]],
    ).fetchdf()
    rows = of.securities
    rows = rows[rows["trade_date"].isin(ranked["trade_date"])]
    member = ranked.merge(
        rows.drop(columns="change_pct").assign(change=rows["change_pct"]),
        on=["trade_date", "region", "sector"],
    )
    group = ["trade_date", "region", "sector", "side"]
    traded = member[member["status"] == "traded"].groupby(group).size()
    counted = member[member["change"].notna() & ~member["is_outlier"]].groupby(group).size()
    top = member[member["symbol"] == member["top_symbol"]]
    beyond = ranked[(ranked["region"] == "mainland") & (ranked["change_pct"].abs() > 20)]
    thin = len(ranked) - int((traded >= 5).sum())
    return {
        "holds": len(ranked) > 0 and not (top["is_outlier"].any() or thin or len(beyond)),
        "sectors_ranked": len(ranked),
        "led_by_an_outlier": int(top["is_outlier"].sum()),
        "fewer_than_five_traded": thin,
        "beyond_any_limit": len(beyond),
        "outliers_in_these_sectors": int(member["is_outlier"].sum()),
        # They have five that traded; of some the change is not known.
        "averages_of_fewer_than_five": int((counted < 5).sum()),
    }


# The proof


def published_securities(con: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    return con.execute(
        """select symbol, trade_date, feed, price_basis, change_pct, limit_pct, at_limit,
            cast(previous_close as double) as previous_close from main.security_performance"""
    ).fetchdf()


def prove(home: Home, seamed: Home, chart: Path | None) -> dict[str, Any]:
    """Every statement with its counts."""
    statements: dict[str, dict[str, Any]] = {}
    with connect(home.published, read_only=True) as con:
        of = recompute(home.landing, PROJECT_ROOT / "seeds", con)
        published = published_securities(con)
        statements["recomputation"] = recomputation(of, con)
        statements["changes of the vendor"] = vendor_changes(published, of.records)
        statements["price limits"] = limits(published, of.securities)
        statements["two vendors of a share"] = two_vendors(published, of.records)
        drawn = curves(con)
        statements["market beside CSI 300"] = {
            "holds": drawn.correlation >= LEAST_CORRELATION,
            **asdict(drawn.figures()),
        }
        if chart:
            chart.write_text(draw(drawn), "utf-8")
        statements["leaders of 2025-09-17"] = leaders(con)
        statements["reports"] = reports(con, of)
        complete = of.records[of.records["feed"] == DEALT]
    with connect(seamed.published, read_only=True) as con:
        of = recompute(seamed.landing, PROJECT_ROOT / "seeds", con)
        statements["seams"] = seams(published_securities(con), of, complete)
        statements["recomputation of the seams"] = recomputation(of, con)
    # A bool of numpy is none of JSON.
    return {name: said | {"holds": bool(said["holds"])} for name, said in statements.items()}


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--landing", type=Path, help="a folder of landing files")
    parser.add_argument("--home", type=Path, help="a home that is already built")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, help="write the figures there, and a chart beside it")
    options = parser.parse_args()
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="closing_bell_market_") as folder:
        home = Home(options.home or Path(folder) / "home")
        if not options.home:
            if options.landing:
                shutil.copytree(options.landing, home.landing)
            else:
                place_real_files(home.landing, is_long=True)
            build(home)
        seamed = Home(Path(folder) / "seamed")
        shares = seamed_landing(home.landing, seamed.landing, options.seed)
        build(seamed)
        chart = options.out and options.out.with_suffix(".svg")
        statements = prove(home, seamed, chart)
    figures = {
        "proof": "market",
        "date": f"{date.today()}",
        "version": project_version(),
        "dates": f"{FIRST} to {LAST}",
        "seed": options.seed,
        "shares_with_seams": shares,
        **statements,
        "seconds": round(time.monotonic() - begun),
    }
    text = json.dumps(figures, indent=1, ensure_ascii=False, default=str)
    print(text)
    if options.out:
        options.out.write_text(text + "\n", encoding="utf-8")
    return 0 if all(statement["holds"] for statement in statements.values()) else 1


if __name__ == "__main__":
    raise SystemExit(main())
