"""Drawing charts: Vega-Lite specs of layers and labels, rendered to static SVG without scripts.

Belongs here: what all charts share, and how a chart's SVG joins the page. Does not belong here:
what a chart shows (`sections/`), the page (`render.py`).

The labels of an axis are figures like any other, bound to their row: levels stand left and right of
the drawing, dates below it, none of them on a line. Colours are the page's own CSS variables, so
that a chart follows light, dark and print.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import vl_convert

from dagster_project.report.figures import Figure, Reference, Row, RowKey, Text

WIDTH, HEIGHT = 260, 110
# Room for the labels beside the drawing.
MARGIN = 68
# In a shorter history the labels of two dates would lie on each other.
LABELLED_DAYS = 60
# Labels one below the other need as many pixels.
LABEL_HEIGHT = 14
# More points than twice the width of the chart cannot be seen.
POINTS = 640
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
        """The drawing as SVG; `link` gives the opening tag that binds a figure."""
        svg = vl_convert.vegalite_to_svg(self.spec)
        svg = re.sub(r' (?:role|aria-[a-z]+|font-family|version|class)="[^"]*"', "", svg)
        svg = re.sub(r'<svg [^>]*?width="(\d+)" height="(\d+)"[^>]*>', _frame(self.name), svg)
        # Nobody sees thirteen decimals of a pixel, nor paths without a stroke.
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


class Canvas:
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

    def level(self, figure: Figure, days: Sequence[date], value: float, **mark: Any) -> None:
        """A thin line across the drawing, labelled at its left."""
        ends = [{"day": str(day), "value": value} for day in (days[0], days[-1])]
        self.layer({"type": "line", "strokeWidth": 1, "color": "var(--rule)"}, ends)
        place = {"align": "right", "baseline": "middle", "dx": -6, "color": "var(--soft)"}
        self.label(figure, str(days[0]), value, **place | mark)

    def end(self, figure: Figure, day: date, value: float, **mark: Any) -> None:
        """A label right of the drawing, at a value of the last day."""
        self.label(
            figure, str(day), value, **{"align": "left", "baseline": "middle", "dx": 8} | mark
        )

    def set_channel(self, channel: str, **properties: Any) -> None:
        """Set properties of a channel (`x`, `y`) in all layers alike."""
        for layer in self.layers:
            layer["encoding"][channel] |= properties

    def _bind(self, figure: Figure) -> str:
        self.labels.append(figure)
        return f"{_ADDRESS}{len(self.labels) - 1}"

    def spec(self) -> dict[str, Any]:
        return {
            "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
            "width": WIDTH,
            "height": HEIGHT,
            "padding": {"left": MARGIN, "right": MARGIN, "top": 10, "bottom": 22},
            "autosize": "none",
            "background": None,
            "layer": self.layers,
            "config": {"view": {"stroke": None}, "aria": False},
        }


def points(history: Sequence[tuple[date, float]], keep: set[date]) -> list[dict[str, Any]]:
    """A history as the rows of a layer, thinned out except for the days to keep and the last."""
    stride = max(1, -(-len(history) // POINTS))
    last = len(history) - 1
    return [
        {"day": str(day), "value": value}
        for position, (day, value) in enumerate(history)
        if position % stride == 0 or position == last or day in keep
    ]


def label_dates(canvas: Canvas, row: Row, days: Sequence[date], floor: float) -> None:
    """Label the first and the last day of a history, under the drawing."""
    ends = ((days[0], "left"), (days[-1], "right"))
    # The two would lie on each other where an index has a short record.
    for day, align in ends[-1:] if (days[-1] - days[0]).days < LABELLED_DAYS else ends:
        key = dict(row.row_key.key) | {"trade_date": str(day)}
        row_key = RowKey(row.row_key.table, tuple(key.items()))
        figure = Figure(Reference(row_key, "trade_date", "short_date"), day)
        canvas.label(
            figure, str(day), floor, align=align, baseline="top", dy=8, color="var(--soft)"
        )
