"""A file that cannot be used, or not be read, takes nothing away and stops no other.

Belongs here: files that turn bad or are repaired, outages of a file or folder. Does not belong
here: why a file is quarantined (`tests/unit/ingest/`), files made to harm
(`tests/integration/hostile/`).
"""

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from dagster_project.ingest.changes import detect_changes
from tests.integration.ingest.support import HSI, LATER, SPECS, House, hsi
from tests.support import TODAY, raw_rows


def test_a_file_that_turns_bad_is_quarantined_and_its_rows_stay(house: House) -> None:
    good, bad = hsi(d15=2, d16=1) + "junk\n", HSI + "<error>\n"
    house.put("wsj_index/HSI.csv", good)
    house.run()
    rows = raw_rows(house.con)
    for content, reason in ((b"\xff", "is not utf-8"), (bad, "line 2: none of its 1 rows")):
        house.put("wsj_index/HSI.csv", content)
        result = house.run(now=LATER)
        assert reason in result.quarantined["wsj_index/HSI.csv"]
        assert result.changed_from is None
        assert house.closes() == {15: 2, 16: 1}
        # The junk of the content that counts is still there, beside the new trouble.
        codes = house.rows(
            "select reason_code from raw.rejected_row join raw.file using (file_id) "
            "order by status, reason_code"
        )
        assert codes == [("field_count",)] * (1 + (content == bad)) + [("file_set_aside",)]
        assert [row[1] for row in house.files()] == ["loaded", "set_aside"]
        assert house.run().quarantined == {}
    ((loaded, _), (aside, _)) = house.rows("select file_id, status from raw.file order by status")
    assert loaded != aside
    house.put("wsj_index/HSI.csv", good, mtime=rows["file"][0][4])
    assert house.run(now=LATER).changed_from is None
    assert raw_rows(house.con) == rows
    house.put("wsj_index/HSI.csv", bad)
    house.run()
    (house.landing / "wsj_index/HSI.csv").unlink()
    house.run()
    assert (house.closes(), house.files()) == ({}, [])
    assert house.rows("from raw.rejected_row") == []


def test_a_bad_file_that_is_repaired_is_loaded(house: House) -> None:
    house.put("wsj_index/HSI.csv", b"")
    house.put("wsj_index/HSCEI.csv", hsi(d15=3))
    result = house.run()
    assert list(result.quarantined) == ["wsj_index/HSI.csv"]
    assert house.closes() == {15: 3}
    house.put("wsj_index/HSI.csv", hsi(d16=1))
    assert house.run(now=LATER).files_read == 1
    assert house.closes() == {15: 3, 16: 1}
    assert house.rows("from raw.rejected_row") == []
    assert house.rows("select status, reason like 'is empty%' from raw.file_superseded") == [
        ("set_aside", True)
    ]


@pytest.mark.parametrize(
    "error", [FileNotFoundError(errno.ENOENT, "gone"), OSError(errno.EIO, "Input/output error")]
)
def test_a_file_that_cannot_be_read_keeps_no_other_back(
    house: House, error: OSError, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.put("wsj_index/HSI.csv", hsi(d16=1))
    house.put("wsj_index/HSCEI.csv", hsi(d15=3))
    open_file = os.open

    def fail(path: Any, *arguments: Any, **options: Any) -> int:
        if path == "HSI.csv":
            raise error
        return open_file(path, *arguments, **options)

    with monkeypatch.context() as patched:
        patched.setattr(os, "open", fail)
        result = house.run()
        assert result.quarantined == {
            "wsj_index/HSI.csv": f"cannot be read: {error.strerror}; deliver it again"
        }
        assert house.closes() == {15: 3}
    # Nothing about the file changed; that it can be read now is reason enough.
    assert house.run().files_read == 1
    assert house.closes() == {15: 3, 16: 1}
    assert [row[1] for row in house.files()] == ["loaded", "loaded"]


def test_a_file_whose_permissions_are_corrected_is_read(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.put("wsj_index/HSI.csv", hsi(d16=1))
    with monkeypatch.context() as patched:
        patched.setattr(os, "access", lambda path, mode: False)
        assert "correct its permissions" in house.run().quarantined["wsj_index/HSI.csv"]
        assert not detect_changes(house.con, house.landing, SPECS["wsj_index"], TODAY)
    assert house.run().rows_accepted == 1


def test_a_missing_folder_is_an_outage_not_a_removal(house: House, tmp_path: Path) -> None:
    house.put("wsj_index/HSI.csv", hsi(d16=1))
    house.run()
    (house.landing / "wsj_index").rename(tmp_path / "elsewhere")
    result = house.run()
    assert result.missing_folder is not None
    assert f"{house.landing}/wsj_index is not a folder; put the files" in result.missing_folder
    assert house.closes() == {16: 1}
    (tmp_path / "elsewhere").rename(house.landing / "wsj_index")
    assert house.run().changed_from is None


def test_a_file_in_another_unit_is_quarantined_and_its_earlier_rows_stay(house: House) -> None:
    def day(lots: int) -> str:
        header = "ts_code,trade_date,open,high,low,close,pre_close,change,pct_chg,vol,amount\n"
        return header + "".join(
            f"{number:06}.SZ,20250916,10,10,10,10,10,0,0,{lots},{number + 1000}\n"
            for number in range(1, 4)
        )

    path = "tushare_daily/20250916.csv"
    house.put(path, day(1000))
    assert house.run("tushare_daily").rows_accepted == 3
    house.put(path, day(100_000))
    result = house.run("tushare_daily", now=LATER)
    assert result.changed_from is None
    assert result.quarantined[path].endswith("or the price is wrong (likewise in 3 of 3 rows)")
    assert house.rows("select sum(volume)::BIGINT, count(*) from raw.security_close") == [
        (300_000, 3)
    ]
    assert house.rows("select line_number, reason_code from raw.rejected_row") == [
        (2, "file_set_aside")
    ]
