"""What a feed means has changed: its spec, the indices that are known, or whether it exists.

Belongs here: changes beside the files of a feed that change its rows. Does not belong here: what a
spec may say (`tests/unit/ingest/test_feed_spec.py`).
"""

from dagster_project.ingest.feed_ingestion import ingest_feed, retire_feed
from dagster_project.market.seeds import known_indices
from dagster_project.warehouse import state
from tests.integration.ingest.support import LATER, SPECS, House, hsi, tushare
from tests.support import NOW, TODAY


def test_a_changed_spec_reads_all_its_files_again(house: House) -> None:
    feed = "tushare_index_daily"
    house.put(f"{feed}/a.csv", tushare(d15=1, d16=2))
    house.run(feed)
    spec = SPECS[feed]
    volume = spec.columns["volume"].model_copy(update={"unit": "shares"})
    changed = spec.model_copy(
        update={"columns": spec.columns | {"volume": volume}, "records": ("index_close",)}
    )
    changed.__dict__.pop("fingerprint", None)
    volume.__dict__.pop("parsed_unit", None)
    result = house.run(changed, now=LATER)
    assert result.files_read == 1
    assert house.rows("select volume from raw.index_close") == [(2,), (2,)]
    assert house.rows("select volume from raw.index_close_superseded") == [(200,), (200,)]
    assert house.rows("from raw.market_turnover") == []
    assert state.pending_from(house.con) == state.EVERYTHING
    assert house.run(changed).files_read == 0


def test_a_spec_that_no_longer_fits_takes_nothing_away(house: House) -> None:
    house.put("wsj_index/HSI.csv", hsi(d15=1))
    house.run("wsj_index")
    spec = SPECS["wsj_index"]
    renamed = spec.columns["close"].model_copy(update={"column": "Schluss"})
    changed = spec.model_copy(update={"columns": spec.columns | {"close": renamed}})
    changed.__dict__.pop("fingerprint", None)
    result = house.run(changed, now=LATER)
    assert "'Schluss' is missing" in result.quarantined["wsj_index/HSI.csv"]
    assert house.rows("select status from raw.file order by all") == [
        ("loaded",),
        ("set_aside",),
    ]
    assert house.rows("select count(*) from raw.index_close") == [(1,)]
    assert house.run("wsj_index", now=LATER).rows_accepted == 1
    assert house.rows("select status from raw.file") == [("loaded",)]


def test_an_index_made_known_is_read_without_a_new_delivery(house: House) -> None:
    house.put("wsj_index/HSI.csv", hsi(d15=1))
    spec = SPECS["wsj_index"]
    without = known_indices() - {"HSI"}
    result = ingest_feed(house.con, house.landing, spec, TODAY, NOW, without)
    assert "add it to seeds/index_definition.csv" in result.quarantined["wsj_index/HSI.csv"]
    assert house.run().rows_accepted == 1


def test_a_feed_without_a_spec_is_withdrawn(house: House) -> None:
    house.put("wsj_index/HSI.csv", hsi(d15=1) + "junk\n")
    house.put("tushare_index_daily/a.csv", tushare(d15=1))
    house.run()
    house.run("tushare_index_daily")
    retire_feed(house.con, "wsj_index", LATER)
    assert house.closes() == {}
    assert house.closes("tushare_index_daily") == {15: 1}
    assert house.rows("select feed from raw.file union all select feed from raw.feed") == [
        ("tushare_index_daily",), ("tushare_index_daily",),
    ]  # fmt: skip
    assert house.rows("from raw.rejected_row") == []
