"""Several records in one feed: which are the same, and which of them counts.

Belongs here: files of one feed that report the same record, and the keys of records. Does not
belong here: which of two feeds counts, which the models decide.
"""

from datetime import date
from decimal import Decimal

from dagster_project.warehouse import state
from tests.integration.ingest.support import House, tushare


def test_of_two_files_the_one_delivered_last_counts(house: House) -> None:
    feed = "tushare_index_daily"
    house.put(f"{feed}/b.csv", tushare(d15=1, d16=1), mtime=200)
    house.put(f"{feed}/a.csv", tushare(d16=2, d17=2), mtime=100)
    house.run(feed)
    assert house.closes(feed) == {15: 1, 16: 1, 17: 2}
    house.touch(f"{feed}/a.csv", 300)
    assert house.run(feed).changed_from == date(2025, 9, 16)
    assert house.closes(feed) == {15: 1, 16: 2, 17: 2}
    house.touch(f"{feed}/b.csv", 300)
    house.run(feed)
    assert house.closes(feed) == {15: 1, 16: 1, 17: 2}, "of two at once, the last by name"
    (house.landing / feed / "b.csv").unlink()
    assert house.run(feed).changed_from == date(2025, 9, 15)
    assert house.closes(feed) == {16: 2, 17: 2}
    house.put(f"{feed}/c.csv", tushare(d16=3), mtime=50)
    house.run(feed)
    assert house.closes(feed) == {16: 2, 17: 2}
    house.put(f"{feed}/a.csv", tushare(d17=5), mtime=400)
    assert house.run(feed).changed_from == date(2025, 9, 16)
    assert house.closes(feed) == {16: 3, 17: 5}
    assert house.rows(
        "select market, count(*), max(turnover) from raw.market_turnover "
        "where is_current group by 1"
    ) == [("XSHG", 2, 3000)]


def test_two_segments_are_two_records(house: House) -> None:
    for segment, turnover in (("main", "1,000"), ("gem", "20")):
        cells = ", ".join(
            f'{{"row": 0, "col": {column}, "text": "{text}"}}'
            for column, text in enumerate(("2025/09/16", "", turnover, "1", "1"))
        )
        house.put(f"hkex_turnover/{segment}_2025.json", f'{{"tables": [{{"body": [{cells}]}}]}}')
    house.run("hkex_turnover")
    assert house.rows(
        "select market, segment, turnover, is_half_day, currency, is_current "
        "from raw.market_turnover order by 2"
    ) == [("XHKG", "gem", 20, False, "HKD", True), ("XHKG", "main", 1000, False, "HKD", True)]


def test_exchange_rates_are_one_record_a_currency(house: House) -> None:
    house.put("ecb_exchange_rates/x.csv", "Date,USD,CNY,HKD\n2025-09-16,1.1774,N/A,9.1601\n")
    house.run("ecb_exchange_rates")
    assert house.rows(
        "select base_currency, currency, rate, line_number from raw.exchange_rate order by 2"
    ) == [("EUR", "HKD", Decimal("9.1601"), 2), ("EUR", "USD", Decimal("1.1774"), 2)]


def test_undated_records_are_reported_as_a_change_of_everything(house: House) -> None:
    house.put("tushare_stock_list/a.csv", "ts_code,name,industry\n600519.SH,Moutai,liquor\n")
    assert house.run("tushare_stock_list").changed_from == state.EVERYTHING
    house.put("tushare_stock_list/b.csv", "ts_code,name,industry\n600519.SH,Moutai,liquor\n")
    house.run("tushare_stock_list")
    assert house.rows(
        "select parse_filename(path), is_current from raw.security_reference "
        "join raw.file using (file_id) order by 1"
    ) == [("a.csv", False), ("b.csv", True)]
