"""A cell is text: nothing in it is run, computed, or sent to a terminal.

Belongs here: contents made to harm by what they say. Does not belong here: contents made to harm by
their size (`test_memory.py`), how hostile text looks in the report
(`tests/integration/test_report.py`).
"""

from pathlib import Path

import duckdb
import openpyxl

from tests.integration.hostile.support import HSI, ROW, STOCKS, ingest, tree

CELLS = [
    "'; drop table raw.file; --", "<script>alert(1)</script>", "<img src=x onerror=alert(1)>",
    "=HYPERLINK(http://x)", "+cmd|' /C calc'!A0", "@SUM(1+1)", "{{ env_var('HOME') }}",
    "{% do run_query('drop table raw.file') %}", "$(touch run)", "`touch run`", "${jndi:ldap://x}",
    "../../etc/passwd", "%n%n%n", "[x](javascript:alert(1))",
]  # fmt: skip


def test_a_cell_is_text(con: duckdb.DuckDBPyConnection, folder: Path, tmp_path: Path) -> None:
    lines = [f"{number:06}.SZ,{cell},{cell}\n" for number, cell in enumerate(CELLS)]
    rejected = [f"{cell},a,b\n" for cell in CELLS]
    file = folder / "tushare_stock_list" / "list.csv"
    file.write_text(STOCKS + "".join(lines + rejected))
    before = tree(tmp_path)
    result = ingest(con, folder)
    assert (result.rows_accepted, result.rows_rejected) == (len(CELLS), len(CELLS))
    rows = con.execute("select name, industry from raw.security_reference order by symbol")
    assert rows.fetchall() == [(cell, cell) for cell in CELLS]
    kept = con.execute("select raw_text from raw.rejected_row order by line_number").fetchall()
    assert [text for (text,) in kept] == [line.rstrip("\n") for line in rejected]
    assert tree(tmp_path) == before


def test_a_formula_of_a_workbook_is_not_computed(
    con: duckdb.DuckDBPyConnection, folder: Path
) -> None:
    book = openpyxl.Workbook()
    book.worksheets[0].append(("No.", "Stock Code", "Stock Name", "Industry"))
    book.worksheets[0].append((1, 5, '=WEBSERVICE("http://x")', "=1+1"))
    (folder / "hsi_composite_list").mkdir()
    book.save(folder / "hsi_composite_list" / "list.xlsx")
    assert ingest(con, folder, "hsi_composite_list").rows_accepted == 1
    # What a formula came to stands beside it in a file; here nothing does.
    assert con.execute("select name, industry from raw.security_reference").fetchall() == [
        (None, None)
    ]


def test_what_a_person_reads_moves_no_cursor(con: duckdb.DuckDBPyConnection, folder: Path) -> None:
    evil = "\x1b[2J\x1b]0;x\x07\u202e"
    (folder / "wsj_index").mkdir()
    (folder / "wsj_index" / "HSI.csv").write_text(f"{HSI}{ROW}{evil}, 1, 1, 1, 1\n")
    (folder / "wsj_index" / "HSCEI.csv").write_text(f"Date, {evil}\n")
    (folder / "tushare_stock_list" / "list.csv").write_text(
        f"{STOCKS}600000.SH,a,b\n{evil}.BJ,a,b\n{evil},a,b\n"
    )
    for feed in ("wsj_index", "tushare_stock_list"):
        result = ingest(con, folder, feed)
        assert result.rejected_examples
        for shown in (*result.quarantined.values(), *result.rejected_examples):
            assert shown.isprintable(), shown
    texts = con.execute("select raw_text from raw.rejected_row where raw_text is not null")
    assert all(evil in text for (text,) in texts.fetchall())
