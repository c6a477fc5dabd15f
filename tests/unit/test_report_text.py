"""The report's sentences: which fact is told, in which words, and what is left unsaid."""

from datetime import date, timedelta
from typing import Any

import pytest

from dagster_project.report.facts import Facts
from dagster_project.report.figures import Figure, Reference, Row, RowKey, plain
from dagster_project.report.text import strength, tell, told_level, verb

DAY = date(2025, 9, 17)
FIRST_DAY = date(2021, 1, 4)
MARKETS = {"XHKG": "hong_kong", "XSHG": "mainland", "XSHE": "mainland"}


def row(table: str, key: dict[str, Any], **values: Any) -> Row:
    return Row(RowKey.of(table, **key), {**key, **values})


def index(symbol: str, change_pct: float | None, **values: Any) -> Row:
    """An index whose close is 1,000 before its change."""
    change = None if change_pct is None else change_pct * 10
    defaults = {
        "name": f"{symbol.capitalize()} Index",
        "region": "hong_kong",
        "close": 1000 + (change or 0),
        "change": change,
        "change_pct": change_pct,
        "closing_high_since": DAY - timedelta(2),
        "closing_low_since": DAY - timedelta(2),
    }
    return row("index_performance", {"symbol": symbol, "trade_date": DAY}, **defaults | values)


def security(symbol: str, change_pct: float, **values: Any) -> Row:
    return replace_key(index(symbol, change_pct, **{"name": symbol, **values}), symbol)


def replace_key(from_row: Row, symbol: str) -> Row:
    key = RowKey.of("security_performance", symbol=symbol, trade_date=DAY)
    return Row(key, from_row.values)


def sector(name: str, change_pct: float, best: int, worst: int, **values: Any) -> Row:
    key = {"region": "hong_kong", "level": "sector", "sector": name, "trade_date": DAY}
    defaults = {"change_pct": change_pct, "weighting": "equal"}
    return row("sector_performance", key, rank_best=best, rank_worst=worst, **defaults | values)


def first_day(of: Row) -> Figure:
    key = RowKey.of("index_performance", symbol=of["symbol"])
    return Figure(Reference(key, "min(trade_date)", "date"), FIRST_DAY)


def count(table: str, number: int) -> Row:
    return row(table, {"trade_date": DAY}, **{"count(*)": number})


def session(market: str, day: date = DAY, is_half_day: bool = False) -> Row:
    return row("dim_session", {"market": market, "trade_date": day}, is_half_day=is_half_day)


def the_facts(**values: Any) -> Facts:
    """A day on which Hong Kong traded, and nothing was delivered."""
    defaults: dict[str, Any] = {
        "report": row("report", {"trade_date": DAY}),
        "release": row("release", {"release_id": "r"}),
        "markets": [row("dim_market", {"market": m}, region=r) for m, r in MARKETS.items()],
        "sessions": {"XHKG": session("XHKG")},
        "last_sessions": {m: session(m, DAY - timedelta(1)) for m in MARKETS},
        "disagreements": count("source_disagreement", 0),
        "first_day": first_day,
    }
    empty: dict[str, Any] = {
        name: {} if "Mapping" in str(kind) else []
        for name, kind in Facts.__annotations__.items()
        if name not in defaults
    }
    return Facts(**empty | defaults | values)


def story(**values: Any) -> tuple[str, list[str]]:
    told = tell(the_facts(**values))
    return plain(told.headline), [plain(paragraph) for paragraph in told.paragraphs]


# Words


@pytest.mark.parametrize(
    ("change_pct", "past", "present"),
    [
        (0.0, "was unchanged", "is unchanged"),
        (0.004, "was unchanged", "is unchanged"),
        (0.19, "edged up", "edges up"),
        (0.2, "rose", "rises"),
        (1.78, "climbed", "climbs"),
        (4.22, "jumped", "jumps"),
        (5.0, "surged", "surges"),
        (-0.11, "edged down", "edges down"),
        (-0.5, "fell", "falls"),
        (-1.7, "dropped", "drops"),
        (-3.0, "slid", "slides"),
        (-13.22, "plunged", "plunges"),
    ],
)
def test_a_change_has_its_word(change_pct: float, past: str, present: str) -> None:
    assert verb(change_pct) == past
    assert verb(change_pct, present=True) == present


@pytest.mark.parametrize(
    ("values", "clause"),
    [
        ({"closing_high_since": date(2021, 7, 23)}, "its highest close since 23 July 2021"),
        ({"closing_high_since": DAY - timedelta(28)}, "its highest close since 20 August 2025"),
        ({"closing_high_since": DAY - timedelta(27)}, None),
        (
            {"closing_high_since": None},
            "its highest close in a record that begins on 4 January 2021",
        ),
        (
            {"change": -1, "closing_low_since": date(2025, 1, 23)},
            "its lowest close since 23 January 2025",
        ),
        # A fall says nothing of highs, a rise nothing of lows.
        ({"change": -1, "closing_high_since": date(2021, 7, 23)}, None),
        ({"change": 0, "closing_high_since": None}, None),
        ({"change": None, "closing_high_since": None}, None),
    ],
)
def test_a_level_is_told_when_it_was_not_seen_for_long(
    values: dict[str, Any], clause: str | None
) -> None:
    level = told_level(the_facts(), index("HSI", 1.0, **values))
    assert (plain(level.clause()) if level else None) == clause


def test_no_record_is_told_on_the_day_it_begins() -> None:
    facts = the_facts(
        first_day=lambda of: Figure(
            Reference(RowKey.of("index_performance", symbol="HSI"), "min(trade_date)", "date"), DAY
        )
    )
    assert told_level(facts, index("HSI", 1.0, closing_high_since=None)) is None


def test_a_change_and_the_years_since_a_level_add_up_to_strength() -> None:
    years_ago = DAY - timedelta(days=3 * 365 + 1)
    both = index("HSI", 4.0, closing_high_since=years_ago)
    assert strength(the_facts(), both, 2.0) == pytest.approx(5.0, abs=0.01)


# Headline and indices


def test_the_strongest_fact_makes_the_headline() -> None:
    headline, (first, *_) = story(
        indices=[
            index("HSI", 1.78, closing_high_since=date(2021, 7, 23)),
            index("HSTECH", 4.22, closing_high_since=date(2021, 11, 25)),
        ]
    )
    assert headline == "Hsi Index closes at its highest since 23 July 2021"
    assert first == (
        "The Hsi Index climbed 17.80 points, or 1.78 %, to close at 1,017.80 on Wednesday, its "
        "highest close since 23 July 2021. The Hstech Index jumped 4.22 % to 1,042.20 (its "
        "highest close since 25 November 2021)."
    )


def test_a_crash_outweighs_a_level_of_some_months() -> None:
    headline, _ = story(indices=[index("HSI", -13.22, closing_low_since=DAY - timedelta(days=100))])
    assert headline == "Hsi Index plunges 13.22 %, closes at 867.80"


def test_a_day_without_any_move_reads_well() -> None:
    headline, (first, *_) = story(indices=[index("HSI", 0.0), index("HSCEI", 0.0)])
    assert headline == "Hsi Index closes unchanged at 1,000.00"
    assert first == (
        "The Hsi Index closed unchanged at 1,000.00 on Wednesday. "
        "The Hscei Index was unchanged at 1,000.00."
    )


def test_a_first_day_compares_with_nothing() -> None:
    headline, (first, *_) = story(indices=[index("HSI", None), index("HSTECH", None)])
    assert headline == "Hsi Index closes at 1,000.00"
    assert first == (
        "The Hsi Index closed at 1,000.00 on Wednesday; the warehouse has no close of the session "
        "before. Also without a close of the session before: the Hstech Index at 1,000.00."
    )


def test_a_half_day_is_called_a_shortened_session() -> None:
    _, (first, *_) = story(
        indices=[index("HSI", 1.0)], sessions={"XHKG": session("XHKG", is_half_day=True)}
    )
    assert "to close at 1,010.00 in Wednesday's shortened session." in first


def test_the_region_with_the_stronger_fact_comes_first() -> None:
    mainland = index("000001.SH", 3.5, region="mainland")
    sessions = {market: session(market) for market in MARKETS}
    _, (first, *_) = story(indices=[index("HSI", 0.1), mainland], sessions=sessions)
    assert first.startswith("The 000001.sh Index jumped")


def test_missing_deliveries_are_said_not_guessed() -> None:
    headline, paragraphs = story(
        followed=[row("dim_index", {"symbol": "HSI"}, name="Hang Seng Index", market="XHKG")]
    )
    assert headline == "Markets traded, but no file states the close of an index"
    assert "No file states the close of an index of Hong Kong." in paragraphs
    assert "No file states the turnover of Hong Kong." in paragraphs
    assert paragraphs[-1] == (
        "No file states a close of the Hang Seng Index. "
        "No file states closes of securities of Hong Kong."
    )


# Closed markets


def test_on_a_day_without_sessions_markets_are_closed() -> None:
    headline, paragraphs = story(sessions={})
    assert headline == "Markets closed"
    assert paragraphs == [
        "Hong Kong, Shanghai and Shenzhen were closed on Wednesday, 17 September 2025.",
        "They last traded on 16 September 2025.",
    ]


def test_markets_that_last_traded_on_different_days_are_told_apart() -> None:
    last = {"XHKG": session("XHKG", date(2025, 4, 17)), "XSHG": session("XSHG", DAY)}
    _, paragraphs = story(sessions={}, last_sessions=last)
    assert paragraphs[1] == (
        "The last sessions were in Hong Kong on 17 April 2025 and Shanghai on 17 September 2025."
    )


def test_a_region_that_was_closed_is_named_with_its_last_session() -> None:
    _, paragraphs = story(indices=[index("HSI", 1.0)])
    assert (
        "Shanghai and Shenzhen were closed; the last session there was on 16 September 2025."
        in paragraphs
    )
    assert not any("turnover of Shanghai" in paragraph for paragraph in paragraphs)


# Sectors and baskets


def names(*sectors: str) -> dict[str, Row]:
    return {
        name: row("dim_sector", {"sector": name}, name=name.replace("_", " ").title())
        for name in sectors
    }


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


# Turnover, breadth, events, claims


def turnover(market: str, **values: Any) -> Row:
    defaults = {
        "currency": "HKD" if market == "XHKG" else "CNY",
        "turnover": 360_000_000_000,
        "previous_turnover": 300_000_000_000,
        "ratio_to_average_20d": 0.9,
    }
    return row("market_turnover", {"market": market, "trade_date": DAY}, **defaults | values)


def scope(name: str, **values: Any) -> Row:
    defaults = {
        "turnover_cny": 2_376_700_000_000,
        "previous_turnover_cny": 2_341_400_000_000,
        "change_cny": 35_300_000_000,
        "markets_open": 2,
        "markets_reported": 2,
        "is_complete": True,
    }
    key = {"scope": name, "trade_date": DAY}
    return row("cross_market_turnover", key, **defaults | values)


ALL_OPEN = {market: session(market) for market in MARKETS}


def test_turnover_is_told_by_market_and_in_one_currency() -> None:
    _, paragraphs = story(
        sessions=ALL_OPEN,
        turnovers={
            "XHKG": turnover("XHKG", ratio_to_average_20d=1.029),
            "XSHG": turnover("XSHG"),
            "XSHE": turnover("XSHE", ratio_to_average_20d=1.0),
        },
        scopes={"mainland": scope("mainland"), "all": scope("all", turnover_cny=2_705_600_000_000)},
    )
    (told,) = [text for text in paragraphs if "Turnover in" in text]
    assert told.startswith(
        "Turnover in Shanghai and Shenzhen came to 2.38 trillion yuan, up from 2.34 trillion the "
        "session before; against its twenty-day average, Shanghai was 10.0 % lower and Shenzhen "
        "was level. Hong Kong's turnover was 360.00 billion Hong Kong dollars, up from 300.00 "
        "billion; that is 2.9 % above its twenty-day average."
    )
    assert told.endswith("Counted in yuan, all markets together turned over 2.71 trillion.")


def test_a_part_of_the_turnover_is_not_told_as_the_whole() -> None:
    part = scope("mainland", is_complete=False, markets_reported=1, change_cny=None)
    _, paragraphs = story(
        sessions=ALL_OPEN, scopes={"mainland": part, "all": scope("all", is_complete=False)}
    )
    (told,) = [text for text in paragraphs if text.startswith("Turnover")]
    assert told == (
        "Turnover of 1 of the 2 mainland markets came to 2.38 trillion yuan; the rest is not "
        "delivered. No file states the turnover of Hong Kong."
    )


def test_without_an_earlier_session_turnover_is_compared_with_nothing() -> None:
    alone = turnover("XHKG", previous_turnover=None, ratio_to_average_20d=None)
    _, paragraphs = story(turnovers={"XHKG": alone})
    assert "Hong Kong's turnover was 360.00 billion Hong Kong dollars." in paragraphs


def breadth(market: str, advancers: int, decliners: int, **values: Any) -> Row:
    counts = dict.fromkeys(("new_highs_52w", "new_lows_52w", "limit_up"), 0)
    return row(
        "market_breadth",
        {"market": market, "trade_date": DAY},
        advancers=advancers,
        decliners=decliners,
        **counts | {"limit_down": None} | values,
    )


def test_breadth_says_which_side_was_larger() -> None:
    _, paragraphs = story(
        sessions=ALL_OPEN,
        breadth={
            "XHKG": breadth("XHKG", 54, 12, new_highs_52w=11),
            "XSHG": breadth("XSHG", 34, 44),
            "XSHE": breadth("XSHE", 7, 7, limit_up=2),
        },
    )
    assert (
        "Advancers outnumbered decliners by 54 to 12 in Hong Kong. Decliners outnumbered advancers "
        "by 44 to 34 in Shanghai. As many advanced as declined in Shenzhen (7 each). Of the "
        "securities followed, 11 in Hong Kong closed at the highest of a year. At the upper price "
        "limit closed 2 in Shenzhen." in paragraphs
    )


def test_on_a_first_day_nothing_is_said_of_breadth() -> None:
    _, paragraphs = story(breadth={"XHKG": breadth("XHKG", 0, 0)})
    assert not any("advance" in text.lower() for text in paragraphs)


@pytest.mark.parametrize(
    ("values", "text"),
    [
        (
            {},
            "−1.01 percentage points against its benchmark (muted, inside its usual range of "
            "−1.92 to +2.60).",
        ),
        (
            {"is_muted": False, "relative_return_pct": 3.0},
            "+3.00 percentage points against its benchmark (outside its usual range of −1.92 to "
            "+2.60).",
        ),
        ({"is_muted": None}, "−1.01 percentage points against its benchmark."),
    ],
)
def test_a_response_is_muted_inside_its_usual_range(values: dict[str, Any], text: str) -> None:
    key = {"event_id": "e", "event_date": date(2025, 9, 16), "basket": "hk_consumer"}
    defaults = {
        "what": "Ministries announce support.",
        "relative_return_pct": -1.010752,
        "usual_low_pct": -1.92,
        "usual_high_pct": 2.6,
        "is_muted": True,
    }
    reaction = row("event_reaction", key, **defaults | values)
    _, paragraphs = story(reactions=[reaction], basket_names=names("hk_consumer"))
    assert (
        "Ministries announce support (16 September 2025): the Hk Consumer basket did " + text
        in paragraphs
    )


def test_a_target_price_is_told_against_the_close() -> None:
    key = {"symbol": "9988.HK", "broker": "A Broker", "target_date": DAY}
    values = {"name": "BABA - W", "target": 174, "currency": "HKD"}
    target = row("target_price", key, **values, previous_target=163, upside_pct=7.673263)
    _, paragraphs = story(targets=[target])
    assert (
        "A Broker puts its target price of BABA at 174.00 Hong Kong dollars, after 163.00, 7.67 % "
        "above its close." in paragraphs
    )


def test_contradicted_claims_are_told_with_the_reason() -> None:
    def claim(verdict: str) -> Row:
        values = {"source": "RTHK", "statement": "It stands high.", "explanation": "It does not."}
        return row("published_figure_check", {"claim_id": verdict}, verdict=verdict, **values)

    def verdict(name: str, number: int) -> Row:
        return row("published_figure_check", {"verdict": name}, **{"count(*)": number})

    verdicts = {"all": 4, "confirmed": 2, "contradicted": 1, "no_data": 1}
    _, paragraphs = story(
        claims=[claim("contradicted"), claim("confirmed")],
        verdicts={name: verdict(name, number) for name, number in verdicts.items()},
    )
    assert (
        "Of 4 figures published elsewhere about the day, the warehouse confirms 2 and contradicts "
        "1. No file has what it takes to check 1 of the figures published elsewhere. Contradicted: "
        "It stands high (RTHK). It does not." in paragraphs
    )
