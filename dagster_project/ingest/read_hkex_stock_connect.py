"""Reading Hong Kong's daily file of Stock Connect: a JavaScript assignment of four blocks.

Belongs here: finding the summary of each block and its figures. Does not belong here: JSON itself
(`read_json.py`), what cells mean (`typed_rows.py`).

Each block is of one channel and direction. Its `content` has tables: the summary, whose labels
stand in `schema` and whose values stand in one row each, in millions, and the ten shares that were
dealt in most, in single units. A side that is closed has `tradingDay` 0. Source: excerpts of files
of 2026.
"""

from typing import Any

from dagster_project.ingest.document import Cell, Document, FileReadError, Row
from dagster_project.ingest.feed_spec import Format
from dagster_project.ingest.read_json import json_text, parse_json

_LABELS = ("Total Turnover", "Buy Turnover", "Sell Turnover", "Total Trade Count", "ETF Turnover")
_HEADER = ["date", "market", "tradingDay", *_LABELS]


def read_hkex_stock_connect(text: str, format_: Format) -> Document:
    """Read the blocks; `line_number` is the number of the block, from 1.

    Raises:
        FileReadError: it is no such file, or a block is of an unknown shape.
    """
    blocks = parse_json(text)
    if not isinstance(blocks, list) or not blocks:
        raise FileReadError("has no list of blocks (tabData = […]); fetch it again")
    rows = [
        Row(number, json_text(block), _cells(number, block))
        for number, block in enumerate(blocks, 1)
    ]
    return Document(_HEADER, rows, 0)


def _cells(number: int, block: Any) -> list[Cell]:
    try:
        figures = _summary(block)
        is_open = str(block.get("tradingDay", "1" if figures else "0"))
        return [str(block["date"]), str(block["market"]), is_open, *map(figures.get, _LABELS)]
    except (LookupError, TypeError, AttributeError, ValueError) as error:
        raise FileReadError(
            f"block {number} has no summary of a known shape ({error!r}); fetch it again"
        ) from error


def _summary(block: Any) -> dict[str, str]:
    """Label -> figure of the summary; the table of the ten shares has the label Rank."""
    for part in block.get("content") or []:
        table = part["table"]
        (labels,) = table["schema"]
        if "Rank" in labels:
            continue
        values = [row["td"][0][0] for row in table["tr"]]
        return {str(k): str(v) for k, v in zip(labels, values, strict=True)}
    return {}
