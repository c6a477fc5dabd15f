"""Charts of a report, as Vega-Lite specs rendered to still SVG that needs no script.

Belongs here: what a chart draws and how its SVG joins the page. Does not belong here: the figures
(`facts.py`), the page (`render.py`).

A chart has no axis: it is read by its labels, and every label is a figure like any other, bound to
its row. Colours are the page's own CSS variables, so that a chart follows light, dark and print.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import vl_convert

from dagster_project.report.facts import Facts, level_last_seen
from dagster_project.report.figures import Figure, Reference, Row, RowKey, Text, say
from dagster_project.report.text import CURRENCIES, PLACES

WIDTH, HEIGHT = 320, 110
# More points than the chart is wide show nothing more.
POINTS = 640
# Labels nearer than this part of the width to the end would lie on each other.
LABEL_GAP = 0.3
_ADDRESS = "https://figure.invalid/"


@dataclass
class Chart:
    """A drawing with its caption; `labels` are the figures in it."""

    name: str
    title: Text
    caption: Text
    spec: dict[str, Any]
    labels: list[Figure] = field(default_factory=list)

    def svg(self, link: Callable[[Figure], str]) -> str:
        """The drawing as SVG; `link` gives the opening tag, with which a figure is bound."""
        svg = vl_convert.vegalite_to_svg(self.spec)
        svg = re.sub(r' (?:role|aria-[a-z]+|font-family|version|class)="[^"]*"', "", svg)
        svg = re.sub(r'<svg [^>]*?width="(\d+)" height="(\d+)"[^>]*>', _frame(self.name), svg)
        # Thirteen decimals of a pixel are seen by nobody, nor are paths without a stroke.
        svg = re.sub(r"\d+\.\d{3,}", lambda match: f"{float(match[0]):.2f}", svg)
        svg = re.sub(r'<path d="[^"]*"(?: display="none")?/>(?=<g>|</g>)', _unseen, svg)
        bound: list[int] = []

        def bind(match: re.Match[str]) -> str:
            bound.append(int(match[1]))
            return link(self.labels[int(match[1])])

        svg = re.sub(rf'<a xlink:href="{_ADDRESS}(\d+)"[^>]*>', bind, svg)
        if sorted(bound) != list(range(len(self.labels))):
            raise ValueError(f"the labels of chart {self.name} are not all in its SVG")
        return svg


def _frame(name: str) -> Callable[[re.Match[str]], str]:
    return lambda match: (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {match[1]} {match[2]}" '
        f'role="group" aria-labelledby="{name}-caption">'
    )


def _unseen(match: re.Match[str]) -> str:
    return match[0] if "stroke" in match[0] else ""


def draw(facts: Facts) -> dict[str, list[Chart]]:
    """Section -> its charts."""
    if facts.is_closed:
        return {}
    return {
        "indices": [
            _index_chart(row, facts.index_history[row["symbol"]])
            for row in facts.indices
            if len(facts.index_history.get(row["symbol"], ())) > 1
        ],
        "turnover": [
            _turnover_chart(row, facts.turnover_history[market["market"]])
            for market in facts.markets
            if (row := facts.turnovers.get(market["market"]))
            and len(facts.turnover_history.get(market["market"], ())) > 1
        ],
    }


# Drawing


class _Canvas:
    """Layers of one chart, over trade dates from left to right."""

    def __init__(self) -> None:
        self.layers: list[dict[str, Any]] = []
        self.labels: list[Figure] = []

    def layer(self, mark: dict[str, Any], rows: Sequence[dict[str, Any]], **channels: Any) -> None:
        encoding = {
            "x": {"field": "day", "type": "temporal", "axis": None},
            "y": {"field": "value", "type": "quantitative", "axis": None},
            **channels,
        }
        self.layers.append({"mark": mark, "data": {"values": list(rows)}, "encoding": encoding})

    def label(self, figure: Figure, day: str, value: float, **mark: Any) -> None:
        row = {"day": day, "value": value, "text": figure.text, "href": self._bind(figure)}
        self.layer(
            {"type": "text", "fontSize": 12, "color": "var(--ink)", **mark},
            [row],
            text={"field": "text", "type": "nominal"},
            href={"field": "href", "type": "nominal"},
        )

    def _bind(self, figure: Figure) -> str:
        self.labels.append(figure)
        return f"{_ADDRESS}{len(self.labels) - 1}"

    def spec(self) -> dict[str, Any]:
        return {
            "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
            "width": WIDTH,
            "height": HEIGHT,
            "padding": {"left": 6, "right": 6, "top": 20, "bottom": 22},
            "autosize": "none",
            "background": None,
            "layer": self.layers,
            "config": {"view": {"stroke": None}, "aria": False},
        }


def _points(history: Sequence[tuple[date, float]], keep: set[date]) -> list[dict[str, Any]]:
    stride = max(1, -(-len(history) // POINTS))
    last = len(history) - 1
    return [
        {"day": str(day), "value": value}
        for position, (day, value) in enumerate(history)
        if position % stride == 0 or position == last or day in keep
    ]


def _index_chart(row: Row, history: Sequence[tuple[date, float]]) -> Chart:
    """Closes up to the trade date; a level line back to the session that saw it last."""
    canvas = _Canvas()
    column = level_last_seen(row)
    since = row[column] if column else None
    lowest = min(value for _, value in history)
    first_day, last_day = history[0][0], history[-1][0]
    span = {"scale": {"zero": False, "nice": False}}
    y = {"field": "value", "type": "quantitative", "axis": None, **span}
    canvas.layer(
        {"type": "line", "strokeWidth": 1.4, "color": "var(--line)"},
        _points(history, {since} if since else set()),
        y=y,
    )
    level = history[-1][1]
    end = {"day": str(last_day), "value": level}
    if since is not None:
        seen = {"day": str(since), "value": level}
        side = "var(--up)" if column == "closing_high_since" else "var(--down)"
        canvas.layer(
            {"type": "line", "strokeWidth": 1.2, "strokeDash": [3, 3], "color": side},
            [seen, end],
            y=y,
        )
        canvas.layer({"type": "point", "size": 36, "color": side, "strokeWidth": 1.6}, [seen], y=y)
        if (last_day - since).days > LABEL_GAP * (last_day - first_day).days:
            label = row.figure(column or "", "short_date")
            canvas.label(label, str(since), level, align="left", baseline="bottom", dy=-6, dx=-4)
    canvas.layer({"type": "circle", "size": 36, "color": "var(--ink)", "opacity": 1}, [end], y=y)
    canvas.label(
        row.figure("close", "level"),
        str(last_day),
        level,
        align="right",
        baseline="bottom",
        dy=-7,
        dx=4,
        fontWeight="bold",
    )
    _date_labels(canvas, row, history, lowest, skip_first=since == first_day)
    for layer in canvas.layers:
        layer["encoding"]["y"] = y
    name = f"chart-{row['symbol'].replace('.', '-').lower()}"
    title = say("{name}", name=row.figure("name", "text"))
    return Chart(name, title, _index_caption(row), canvas.spec(), canvas.labels)


def _date_labels(
    canvas: _Canvas, row: Row, history: Sequence[Any], floor: float, skip_first: bool = False
) -> None:
    """The first and the last day under the drawing."""
    for position, align in ((0, "left"), (-1, "right")):
        if position == 0 and skip_first:
            continue
        day = history[position][0]
        key = dict(row.row_key.key) | {"trade_date": str(day)}
        row_key = RowKey(row.row_key.table, tuple(key.items()))
        figure = Figure(Reference(row_key, "trade_date", "short_date"), day)
        dx = -4 if align == "left" else 4
        canvas.label(
            figure,
            str(day),
            floor,
            align=align,
            baseline="top",
            dy=8,
            dx=dx,
            color="var(--soft)",
        )


def _index_caption(row: Row) -> Text:
    column = level_last_seen(row)
    if column is None or row[column] is None:
        return say("session by session")
    word = "highest" if column == "closing_high_since" else "lowest"
    return say("{word} close since {since}", word=word, since=row.figure(column, "date"))


def _turnover_chart(row: Row, history: Sequence[tuple[date, float, float | None]]) -> Chart:
    """Turnover session by session, with its twenty-day average as a line."""
    canvas = _Canvas()
    x = {"field": "day", "type": "ordinal", "axis": None, "scale": {"paddingInner": 0.25}}
    bars = [{"day": str(day), "value": value} for day, value, _ in history]
    canvas.layer({"type": "bar", "color": "var(--bar)"}, bars[:-1])
    canvas.layer({"type": "bar", "color": "var(--ink)"}, bars[-1:])
    averages = [{"day": str(day), "value": mean} for day, _, mean in history if mean is not None]
    if averages:
        canvas.layer({"type": "line", "strokeWidth": 1.6, "color": "var(--accent)"}, averages)
    canvas.label(
        row.figure("turnover", "money"),
        str(history[-1][0]),
        # Above every bar, so that it lies on none.
        max(value for _, value, _ in history),
        align="right",
        baseline="bottom",
        dy=-6,
        dx=6,
        fontWeight="bold",
    )
    _date_labels(canvas, row, history, 0)
    days = [bar["day"] for bar in bars]
    for layer in canvas.layers:
        layer["encoding"]["x"] = x | {"scale": {"domain": days, "paddingInner": 0.25}}
    market = row["market"]
    return Chart(
        f"chart-{market.lower()}",
        say(PLACES[market]),
        say(
            "{currency} a session; the line is the twenty-day average",
            currency=CURRENCIES[row["currency"]],
        ),
        canvas.spec(),
        canvas.labels,
    )
