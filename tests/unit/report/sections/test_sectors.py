"""The sentences about sectors and baskets."""

from datetime import date
from typing import Any

from dagster_project.report.figures import Row, RowKey
from tests.unit.report.support import DAY, index, names, row, story


def security(symbol: str, change_pct: float, **values: Any) -> Row:
    values = {"name": symbol, "is_outlier": False, **values}
    return replace_key(index(symbol, change_pct, **values), symbol)


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
        "Oil gas, up 5.00 %, led the sectors of Hong Kong, ahead of b, then c; f fell most, "
        "followed by e, then d." in paragraphs
    )


def test_a_larger_fall_has_the_figure() -> None:
    changes = {"a": 1.0, "b": 0.5, "c": 0.1, "d": -0.4, "e": -2.0, "f": -4.0}
    sectors = [
        sector(name, change, best, 7 - best)
        for best, (name, change) in enumerate(changes.items(), start=1)
    ]
    _, paragraphs = story(sectors=sectors, sector_names=names(*"abcdef"))
    assert (
        "A led the sectors of Hong Kong, ahead of b, then c; f fell most, by 4.00 %, followed by "
        "e, then d." in paragraphs
    )


def test_where_all_fell_nobody_led() -> None:
    sectors = [sector(name, -rank, rank, 7 - rank) for rank, name in enumerate("abcdef", start=1)]
    _, paragraphs = story(sectors=sectors, sector_names=names(*"abcdef"))
    assert (
        "A fell least of the sectors of Hong Kong; f fell most, by 6.00 %, followed by e, then d."
        in paragraphs
    )


def test_where_all_rose_nobody_fell() -> None:
    sectors = [
        sector(name, 7 - rank, rank, 7 - rank) for rank, name in enumerate("abcdef", start=1)
    ]
    _, paragraphs = story(sectors=sectors, sector_names=names(*"abcdef"))
    assert (
        "A, up 6.00 %, led the sectors of Hong Kong, ahead of b, then c; f gained least."
        in paragraphs
    )


def test_of_five_sectors_none_is_called_a_leader() -> None:
    sectors = [sector(name, 1.0, rank, 6 - rank) for rank, name in enumerate("abcde", start=1)]
    _, paragraphs = story(sectors=sectors, sector_names=names(*"abcde"))
    assert not any("led the sectors" in text for text in paragraphs)


MEMBERS = [
    security("0700.HK", 1.0, name="TENCENT"),
    security("9988.HK", 5.28, name="BABA - W", closing_high_since=date(2021, 11, 17)),
    security("9888.HK", 15.72, name="BIDU - SW", closing_high_since=date(2023, 10, 12)),
    security("9999.HK", 0.0, name=None, closing_high_since=None),
]


def of_basket(members: list[Row], **rows: Any) -> list[str]:
    return story(
        baskets=[sector("tech_majors", 4.2, 1, 1, level="basket")],
        basket_members={"tech_majors": members},
        basket_names=names("tech_majors"),
        **rows,
    )[1]


def test_the_securities_of_baskets_that_are_most_news_are_told() -> None:
    assert (
        "BIDU surged 15.72 % to its highest close since October 2023, BABA surged 5.28 % to its "
        "highest close since November 2021 and TENCENT climbed 1.00 %." in of_basket(MEMBERS)
    )


def test_levels_are_told_where_there_is_room() -> None:
    told = of_basket(MEMBERS, indices=[index("HSI", 1.0, closing_high_since=date(2021, 7, 23))])
    assert any("BABA surged 5.28 % to its highest close" in text for text in told)
    many = [
        security(f"{n:04}.HK", 9.0 - n, closing_high_since=date(2023, 10, 12)) for n in range(1, 4)
    ]
    told = of_basket(many, indices=[index("HSI", 1.0, closing_high_since=date(2021, 7, 23))])
    assert sum(text.count("highest close") for text in told) == 3


def test_an_outlier_is_no_news() -> None:
    wrong = security("1969.HK", 9876.4, name="WRONG", is_outlier=True)
    assert not any("WRONG" in text for text in of_basket([*MEMBERS, wrong]))


def test_the_best_and_the_worst_basket_are_named() -> None:
    def told(best: float, worst: float) -> list[str]:
        baskets = [
            sector("tech", best, 1, 2, level="basket"),
            sector("consumer", worst, 2, 1, level="basket"),
        ]
        members: dict[str, list[Row]] = {"tech": [], "consumer": []}
        shown = names("tech", "consumer")
        return story(baskets=baskets, basket_members=members, basket_names=shown)[1]

    assert "Of the baskets followed, Tech rose most and Consumer least." in told(2, 1)
    assert "Of the baskets followed, Consumer fell most and Tech least." in told(-1, -2)
    assert "Of the baskets followed, Tech did best and Consumer worst." in told(1, -1)
