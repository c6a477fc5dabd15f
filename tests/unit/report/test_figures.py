"""Figures of a report: how they are written, and the references that lead back to them."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagster_project.report.figures import (
    FORMS,
    Figure,
    Reference,
    Row,
    RowKey,
    UnknownFigure,
    direction,
    figures_of,
    listed,
    plain,
    say,
)

DAY = date(2025, 9, 17)


@pytest.mark.parametrize(
    ("form", "value", "text"),
    [
        ("level", Decimal("26908.390000"), "26,908.39"),
        ("level", 0.005, "0.01"),  # half up, as a person rounds
        ("points", Decimal("469.88"), "+469.88"),
        ("points", -8.05, "−8.05"),
        ("points_size", -8.05, "8.05"),
        ("pct", 1.777256, "+1.78 %"),
        ("pct", -0.004, "0.00 %"),  # no sign where nothing is left to have one
        ("pct_size", -13.22, "13.22 %"),
        ("share", 24.47, "24.5 %"),
        ("price", Decimal("161.600006"), "161.60"),
        ("price", Decimal("0.235"), "0.235"),
        ("money", Decimal("2376746000000.00"), "2.38 trillion"),
        ("money", 999_999_000_000, "1.00 trillion"),
        ("money", 999_000_000_000, "999.00 billion"),
        ("money", Decimal("12300000"), "12.30 million"),
        ("money", 950, "950"),
        ("billions", Decimal("360440000000"), "360.44"),
        ("above", 0.924829, "−7.5 %"),
        ("above_size", 1.25, "25.0 %"),
        ("count", 2858, "2,858"),
        ("date", DAY, "17 September 2025"),
        ("short_date", date(2021, 7, 3), "3 Jul 2021"),
        ("title", DAY, "Market report, 17 September 2025"),
        ("moment", datetime(2025, 9, 17, 10, 4, 59), "17 September 2025, 10:04 UTC"),
        ("short_name", "BABA - W", "BABA"),
        ("ordinal", -3, "third"),
        ("ordinal", 21, "21st"),
        ("ordinal", 22, "22nd"),
        ("short_name", "TRIP.COM - S", "TRIP.COM"),
        ("short_name", "A - LONG TAIL", "A - LONG TAIL"),
        ("lower", "Oil and Gas", "oil and gas"),
        ("capital", "Oil and Gas", "Oil and gas"),
        ("sentence", "It rose.", "It rose"),
        ("text", "two\n lines", "two lines"),
    ],
)
def test_each_form_writes_a_figure_as_a_person_does(form: str, value: Any, text: str) -> None:
    assert FORMS[form](value) == text


def test_a_long_explanation_is_shortened_to_a_sentence_or_two() -> None:
    text = FORMS["shortened"]("word " * 200)
    assert len(text) <= 240
    assert text.endswith(" …")


def test_what_is_missing_is_shown_as_a_dash_and_has_no_direction() -> None:
    figure = Figure(Reference(RowKey.of("index_performance", symbol="HSI"), "change", "pct"), None)
    assert figure.text == "–"
    assert figure.direction is None


@pytest.mark.parametrize(("value", "sign"), [(0.004, 0), (0.005, 1), (-0.005, -1), (None, 0)])
def test_a_move_that_is_shown_as_zero_has_no_direction(value: float | None, sign: int) -> None:
    assert direction(value) == sign


def test_a_ratio_has_the_direction_of_what_is_shown_of_it() -> None:
    reference = Reference(RowKey.of("market_turnover", market="XHKG"), "ratio", "above")
    assert [Figure(reference, ratio).direction for ratio in (1.0004, 1.1, 0.9)] == [0, 1, -1]


@given(
    key=st.dictionaries(
        st.sampled_from(["symbol", "trade_date", "sector", "file"]), st.text(), min_size=1
    ),
    measure=st.sampled_from(["close", "return_5d_pct", "count(*)", "sum(rows_refused)"]),
    form=st.sampled_from(sorted(FORMS)),
)
def test_a_reference_reads_back_whatever_its_key_holds(
    key: dict[str, str], measure: str, form: str
) -> None:
    reference = Reference(RowKey.of("seed.basket", **key), measure, form)
    assert Reference.parse(str(reference)) == reference
    assert not set(str(reference)) & set("<>\"'` \n|[]")


@pytest.mark.parametrize(
    "text",
    ["", "index_performance", "a?b=c#d:no_such_form", "a?b=c#d;drop:level", "a b?c=d#e:level"],
)
def test_what_is_no_reference_is_refused(text: str) -> None:
    with pytest.raises(UnknownFigure, match="no reference"):
        Reference.parse(text)


def test_a_text_holds_its_figures_in_order() -> None:
    row = Row(RowKey.of("index_performance", symbol="HSI"), {"close": 1, "change": 2})
    first, second = row.figure("close", "level"), row.figure("change", "points")
    text = say("from {first}, {second}!", first=first, second=say("by {it}", it=second))
    assert plain(text) == "from 1.00, by +2.00!"
    assert figures_of(text) == [first, second]


def test_words_of_our_own_hold_no_digit() -> None:
    with pytest.raises(ValueError, match="52-week"):
        say("a 52-week high")
    with pytest.raises(ValueError, match="20"):
        say("over {days} days", days="20")


@pytest.mark.parametrize(
    ("items", "text"), [([], ""), ("a", "a"), ("ab", "a and b"), ("abc", "a, b and c")]
)
def test_an_enumeration_reads_as_one(items: str, text: str) -> None:
    assert plain(listed([(item,) for item in items])) == text
