"""The market as the warehouse chains it, beside the equal-weighted mean and CSI 300.

Belongs here: the three curves, their correlation, their picture. Does not belong here: what must
hold of them (`market.py`).
"""

from dataclasses import dataclass

import duckdb
import pandas as pd

FROM, TO = "2021-01-01", "2025-12-31"
BENCHMARK = "000300.SH"
_COLOURS = {"sector_index": "#c0392b", "equal_weighted": "#2980b9", "csi_300": "#555555"}
_WIDTH, _HEIGHT, _MARGIN = 900, 420, 40


@dataclass(frozen=True)
class Figures:
    """Correlation of daily changes with CSI 300, and each year's change of the three in percent."""

    sessions: int
    correlation: float
    correlation_equal_weighted: float
    by_year: list[str]


@dataclass(frozen=True)
class Curves:
    """Daily changes in percent, one column per curve, indexed by session."""

    changes: pd.DataFrame

    @property
    def correlation(self) -> float:
        return float(self.changes["sector_index"].corr(self.changes["csi_300"]))

    @property
    def levels(self) -> pd.DataFrame:
        return 100 * (1 + self.changes / 100).cumprod()

    def figures(self) -> Figures:
        years = (1 + self.changes / 100).groupby(
            pd.DatetimeIndex(self.changes.index).year
        ).prod() * 100 - 100
        return Figures(
            len(self.changes),
            round(self.correlation, 4),
            round(float(self.changes["equal_weighted"].corr(self.changes["csi_300"])), 4),
            [
                f"{year}: "
                + ", ".join(f"{name} {row[name]:+.1f} %" for name in self.changes.columns)
                for year, row in years.iterrows()
            ],
        )


def curves(con: duckdb.DuckDBPyConnection) -> Curves:
    """The three, of the sessions on which all are known."""
    frame = con.execute(
        """select trade_date, 100 * (index_level / lag(index_level) over (order by trade_date) - 1)
            as sector_index, change_pct_equal as equal_weighted, index.change_pct as csi_300
        from main.sector_index
        join (select trade_date, region, level, sector, change_pct_equal
            from main.sector_performance) using (trade_date, region, level, sector)
        join main.index_performance as index using (trade_date)
        where level = 'market' and sector = 'mainland' and index.symbol = ?
            and trade_date between ? and ?
        order by trade_date""",
        [BENCHMARK, FROM, TO],
    ).fetchdf()
    return Curves(frame.set_index("trade_date").astype(float).dropna())


def draw(of: Curves) -> str:
    """An SVG of the three levels."""
    levels = of.levels
    low, high = float(levels.min().min()), float(levels.max().max())
    across = (_WIDTH - 2 * _MARGIN) / (len(levels) - 1)
    down = (_HEIGHT - 2 * _MARGIN) / (high - low)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" '
        'font-family="sans-serif" font-size="13">',
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="white"/>',
        f'<text x="{_MARGIN}" y="20">Mainland market, {levels.index[0]:%Y-%m-%d} to '
        f"{levels.index[-1]:%Y-%m-%d}; levels {low:.0f} to {high:.0f}</text>",
    ]
    for place, (name, colour) in enumerate(_COLOURS.items()):
        points = " ".join(
            f"{_MARGIN + at * across:.1f},{_MARGIN + (high - level) * down:.1f}"
            for at, level in enumerate(levels[name])
        )
        parts += [
            f'<polyline points="{points}" fill="none" stroke="{colour}"/>',
            f'<text x="{_MARGIN + 160 * place}" y="{_HEIGHT - 10}" fill="{colour}">'
            f"{name.replace('_', ' ')} {levels[name].iloc[-1]:.0f}</text>",
        ]
    return "\n".join([*parts, "</svg>", ""])
