"""Values of the published file: what a reference leads to, and what is said where it does not."""

from collections.abc import Iterator
from datetime import date

import duckdb
import pytest

from dagster_project.report.figures import Reference, RowKey, UnknownFigure
from dagster_project.report.published import Published

DAY = date(2025, 9, 17)


@pytest.fixture
def published() -> Iterator[Published]:
    with duckdb.connect() as con:
        con.execute("create schema seed")
        con.execute(
            """create table main.index_performance as select * from (values
                (DATE '2025-09-17', 'HSI', 'Hang Seng Index', 26908.39::DECIMAL(18, 6), 1.777256),
                (DATE '2025-09-16', 'HSI', 'Hang Seng Index', 26438.51::DECIMAL(18, 6), -0.03))
                as t(trade_date, symbol, name, close, change_pct)"""
        )
        yield Published(con, DAY)


def test_a_reference_leads_to_the_figure(published: Published) -> None:
    reference = Reference.parse("index_performance?symbol=HSI&trade_date=2025-09-17#close:level")
    assert published.figure(reference).text == "26,908.39"


def test_a_total_is_over_all_rows_of_a_key(published: Published) -> None:
    row = published.total("index_performance", "min(trade_date)", symbol="HSI")
    assert row.figure("min(trade_date)", "date").text == "16 September 2025"
    reference = Reference(RowKey.of("index_performance", symbol="HSI"), "count(*)", "count")
    assert published.figure(reference).text == "2"


@pytest.mark.parametrize(
    ("reference", "reason"),
    [
        ("index_performance?symbol=HSCEI&trade_date=2025-09-17#close:level", "no row"),
        ("index_performance?symbol=HSI#close:level", "several rows"),
        ("index_performance?symbol=HSI&trade_date=2025-09-17#open:level", "no column open"),
        ("index_performance?sym=HSI#close:level", "no column sym"),
        ("index_performance?trade_date=2025-99-17#close:level", "2025-99-17"),
        ("no_such_table?symbol=HSI#close:level", "no no_such_table"),
        ("report?trade_date=2025-09-16#trade_date:date", "is of 2025-09-17"),
    ],
)
def test_a_reference_that_leads_nowhere_says_so(
    published: Published, reference: str, reason: str
) -> None:
    with pytest.raises(UnknownFigure, match=reason):
        published.figure(Reference.parse(reference))


def test_a_table_that_one_section_shows_has_its_key_from_there(published: Published) -> None:
    published.con.execute("create table main.new_mart as select 'XHKG' as market, 7 as holders")
    published = Published(published.con, DAY)
    (row,) = published.rows("new_mart", "order by market", key_columns=["market"])
    figure = row.figure("holders", "count")
    assert str(figure.reference) == "new_mart?market=XHKG#holders:count"
    assert published.figure(Reference.parse(str(figure.reference))) == figure
