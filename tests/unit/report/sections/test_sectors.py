"""The sentences about sectors and baskets."""

from datetime import date
from typing import Any

from dagster_project.report.figures import Row, RowKey
from tests.unit.report.support import DAY, index, names, row, story


def security(symbol: str, change_pct: float, **values: Any) -> Row:
    return replace_key(index(symbol, change_pct, **{"name": symbol, **values}), symbol)


def replace_key(from_row: Row, symbol: str) -> Row:
    key = RowKey.of("security_performance", symbol=symbol, trade_date=DAY)
    return Row(key, from_row.values)


def sector(name: str, change_pct: float, best: int, worst: int, **values: Any) -> Row:
    key = {"region": "hong_kong", "level": "sector", "sector": name, "trade_date": DAY}
    defaults = {"change_pct": change_pct, "weighting": "equal"}
    return row("sector_performance", key, rank_best=best, rank_worst=worst, **defaults | values)


def test_leaders_and_laggards_are_named_in_order() -> None:
    changes = {"oil_gas": 5.0, "b": 4.0, "c": 3.0, "d": -1.0, "e": -2.0, "f": -3.0}
    sectors = [
        sector(name, change, best, 7 - best)
        for best, (name, change) in enumerate(changes.items(), start=1)
    ]
    _, paragraphs = story(sectors=sectors, sector_names=names(*changes))
    assert (
        "Oil gas (+5.00 %), b (+4.00 %) and c (+3.00 %) led the sectors of Hong Kong; "
        "f (−3.00 %), e (−2.00 %) and d (−1.00 %) lagged." in paragraphs
    )


def test_where_all_fell_nobody_led() -> None:
    sectors = [sector(name, -rank, rank, 7 - rank) for rank, name in enumerate("abcdef", start=1)]
    _, paragraphs = story(sectors=sectors, sector_names=names(*"abcdef"))
    assert any(
        "fell least among the sectors of Hong Kong" in text and text.endswith("fell most.")
        for text in paragraphs
    )


def test_of_five_sectors_none_is_called_a_leader() -> None:
    sectors = [sector(name, 1.0, rank, 6 - rank) for rank, name in enumerate("abcde", start=1)]
    _, paragraphs = story(sectors=sectors, sector_names=names(*"abcde"))
    assert not any("led the sectors" in text for text in paragraphs)


def test_a_basket_is_told_by_its_strongest_members() -> None:
    basket = sector("tech_majors", 4.2, 1, 1, level="basket")
    members = [
        security("0700.HK", 1.0, name="TENCENT"),
        security("9988.HK", 5.28, name="BABA - W", closing_high_since=date(2021, 11, 17)),
        security("9888.HK", 15.72, name="BIDU - SW", closing_high_since=date(2023, 10, 12)),
        security("9999.HK", 0.0, name=None, closing_high_since=None),
    ]
    _, paragraphs = story(
        baskets=[basket],
        basket_members={"tech_majors": members},
        basket_names=names("tech_majors"),
    )
    assert (
        "The Tech Majors basket jumped 4.20 % on average; BIDU surged 15.72 % to its highest close "
        "since 12 October 2023, BABA surged 5.28 % to its highest close since 17 November 2021 and "
        "TENCENT climbed 1.00 %." in paragraphs
    )
