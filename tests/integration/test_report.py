"""The market report on a real release: what it says, and that nothing in it can be altered.

Belongs here: reports written from a published file and read again. Does not belong here: the words
of single sentences (`tests/unit/report`), how a page looks (`tests/browser`).
"""

import html
import importlib
import itertools
import random
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from html.parser import HTMLParser
from pathlib import Path

import duckdb
import pytest

from dagster_project.home import PROJECT_ROOT, Home
from dagster_project.report import sections
from dagster_project.report.check import check_html, check_markdown
from dagster_project.report.files import FILES, ReportError, check_report, write_report
from dagster_project.report.mail import mail_of
from dagster_project.report.published import Published
from dagster_project.report.render import PAGE, QUALITY_PAGE, TEXT, TEXT_ORIGINS
from dagster_project.warehouse.connection import connect

DAY = date(2025, 9, 17)
HONG_KONG_ALONE, MAINLAND_ALONE = date(2025, 5, 2), date(2025, 4, 18)
HALF_DAY, SUNDAY, FIRST_DAY = date(2024, 12, 24), date(2025, 9, 14), date(2021, 1, 4)
HOSTILE = """<script src="http://x/1.js">alert('1')</script> & | [^1] *2* `3` \\ </title>"""


def home_beside(published: Path, folder: Path) -> Home:
    """A home of its own around a published file that is only read."""
    home = Home(folder)
    home.published.parent.mkdir(parents=True)
    home.published.hardlink_to(published.resolve())
    return home


@pytest.fixture
def home(sample_home: Home, tmp_path: Path) -> Home:
    return home_beside(sample_home.published, tmp_path / "home")


@pytest.fixture(scope="module")
def written(sample_home: Home, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The files of the report of 17 September 2025, by name."""
    home = home_beside(sample_home.published, tmp_path_factory.mktemp("report") / "home")
    files = write_report(home, DAY, "hong_kong")
    return {name: file.read_text() for name, file in files.items()}


@contextmanager
def changed(home: Home) -> Iterator[duckdb.DuckDBPyConnection]:
    """The published file replaced by a copy that may be changed."""
    copy = home.published.with_suffix(".copy")
    shutil.copyfile(home.published, copy)
    home.published.unlink()
    copy.rename(home.published)
    with duckdb.connect(str(home.published)) as con:
        yield con


@contextmanager
def release_of(home: Home, day: date = DAY) -> Iterator[Published]:
    with connect(home.published, read_only=True) as con:
        yield Published(con, day)


def story(markdown: str) -> str:
    """The text before the tables."""
    return markdown.split("\n## ")[0]


# What it says


def test_it_states_the_facts_of_the_published_report(written: dict[str, str]) -> None:
    text = story(written[TEXT])
    for fact in (
        "# Hang Seng climbs 1.78 % to its highest close since July 2021 as Shanghai rises 0.37 %",
        "climbed 469.88 points, or 1.78 %, to close at 26,908.39 on Wednesday",
        "The SSE Composite Index rose 0.37 % to 3,876.34",
        "Hang Seng TECH Index jumped 4.22 %, ahead of the Hang Seng China Enterprises Index",
        "Baidu surged 15.72 % to its highest close since October 2023",
        "SMIC surged 7.12 %",
        "Alibaba surged 5.28 %",
        "CSI Semiconductor Material & Equipment Thematic Index jumped 3.60 %",
        "came to 2.38 trillion yuan after 2.34 trillion the session before",
        "the Hong Kong Consumer basket was 1.01 percentage points behind its benchmark",
        "a muted answer",
        "A broker puts its target price of Alibaba at 174.00 Hong Kong dollars",
        "It contradicts this: Alibaba stands at its strongest since November 2022",
    ):
        assert fact in text
    for row in (
        "| Hang Seng China Enterprises Index | 9,596.77 | +210.38 | +2.24 %",
        "| SZSE Component Index | 13,215.46 | +151.49 | +1.16 %",
    ):
        assert row in written[TEXT]
    (sectors,) = [line for line in text.split("\n") if "led the sectors of mainland" in line]
    leaders, laggards = re.search(  # type: ignore[union-attr]
        r"(Power .* led the sectors of mainland China[^;]*); ([^.]*)", sectors
    ).groups()
    assert "automobiles" in leaders
    assert "agriculture" in laggards
    assert "liquor" in laggards


@pytest.mark.parametrize(
    ("day", "said"),
    [
        (date(2025, 9, 16), "on Tuesday"),
        (HONG_KONG_ALONE, "Shanghai and Shenzhen were closed; the last session there was on 30 A"),
        (MAINLAND_ALONE, "Hong Kong was closed; the last session there was on 17 April 2025."),
        (HALF_DAY, "in Tuesday's shortened session"),
        (SUNDAY, "Hong Kong, Shanghai and Shenzhen were closed on Sunday, 14 September 2025."),
        (FIRST_DAY, "the warehouse has no close of the session before"),
    ],
    ids=str,
)
def test_every_kind_of_day_is_told_and_holds(home: Home, day: date, said: str) -> None:
    files = write_report(home, day)
    assert said in story(files[TEXT].read_text())
    assert check_report(home, day) == []
    assert all(file.stat().st_size < 1_000_000 for file in files.values())


def test_what_no_file_states_is_said_to_be_missing(home: Home) -> None:
    with changed(home) as con:
        con.execute("delete from main.market_turnover where market = 'XHKG'")
        con.execute(
            """update main.cross_market_turnover set turnover_cny = null, markets_reported = 0,
                is_complete = false where scope = 'hong_kong'"""
        )
        con.execute("update main.cross_market_turnover set is_complete = false where scope = 'all'")
        con.execute("delete from main.index_performance where region = 'mainland'")
        con.execute("delete from main.market_breadth where market = 'XSHE'")
        con.execute("delete from main.sector_performance where region = 'hong_kong'")
    text = story(write_report(home, DAY)[TEXT].read_text())
    assert "No file states closes of securities of Shenzhen or the turnover of Hong Kong." in text
    assert "No file states the close of an index of mainland China." in text
    assert "Turnover in Hong Kong" not in text
    assert check_report(home, DAY) == []


def test_a_day_without_any_delivery_is_told(home: Home) -> None:
    with changed(home) as con:
        for table in (
            *("index_performance", "security_performance", "sector_performance"),
            *("market_turnover", "cross_market_turnover", "market_breadth"),
            *("published_figure_check", "event_reaction", "target_price"),
        ):
            con.execute(f"delete from main.{table}")
    markdown = write_report(home, DAY)[TEXT]
    assert markdown.read_text().startswith("# Markets traded, but no file states the close")
    assert check_report(home, DAY) == []


# Every figure holds, and no digit can be altered


def altered(text: str, at: int) -> str:
    """The text with another digit in one place."""
    return f"{text[:at]}{(int(text[at]) + 1) % 10}{text[at + 1 :]}"


def digits(text: str) -> list[int]:
    """Where a text of HTML or Markdown has digits, those of entities left out."""
    hidden = {at for m in re.finditer(r"&#?\w+;", text) for at in range(*m.span())}
    return [m.start() for m in re.finditer(r"\d", text) if m.start() not in hidden]


# The text of a bound element; in a drawing it stands behind the title that tells its origin.
SHOWN = re.compile(
    r'data-ref="[^"]*"[^>]*>(?:<title data-title="origin">[^<]*</title><text[^>]*>)?([^<]*)<'
)


def test_each_digit_of_each_figure_of_the_page_is_held(
    sample_home: Home, written: dict[str, str]
) -> None:
    page = written[PAGE]
    shown = [match.span(1) for match in SHOWN.finditer(page)]
    assert len(shown) == page.count('data-ref="') > 500
    places = [[start + at for at in digits(page[start:end])] for start, end in shown]
    with release_of(sample_home) as published:
        assert check_html(page, published) == []
        # One digit of every figure at a time: each figure has to be named by a problem of its own.
        for turn in range(max(map(len, places))):
            page_of_turn, count = page, 0
            for own in places:
                if turn < len(own):
                    page_of_turn = altered(page_of_turn, own[turn])
                    count += 1
            problems = check_html(page_of_turn, published)
            assert len(problems) == count, turn
            assert all(problem.startswith("shows ") for problem in problems)


@pytest.mark.parametrize(
    "pattern",
    [
        r'data-origin="([^"]*)"',
        r'<title data-title="origin">([^<]*)<',
        r' data-row="[^>]*>(.*)</span> <a class="back"',
    ],
    ids=["pointed at", "in a drawing", "in the list"],
)
def test_the_origins_of_the_page_are_held(
    sample_home: Home, written: dict[str, str], pattern: str
) -> None:
    page = written[PAGE]
    told = [match.span(1) for match in re.finditer(pattern, page)]
    places = [[start + at for at in digits(page[start:end])] for start, end in told]
    assert len(places) > 20
    with release_of(sample_home) as published:
        for position in (0, -1):
            altered_page, count = page, 0
            for own in filter(None, places):
                altered_page = altered(altered_page, own[position])
                count += 1
            assert len(check_html(altered_page, published)) >= count


def altered_line_by_line(text: str) -> Iterator[tuple[str, int]]:
    """The text with one digit of every line altered, until each was; and how many there were."""
    lines = text.split("\n")
    places = [digits(line) for line in lines]
    for turn in range(max(map(len, places))):
        of_turn = [
            altered(line, at[turn]) if turn < len(at) else line
            for line, at in zip(lines, places, strict=True)
        ]
        yield "\n".join(of_turn), sum(turn < len(at) for at in places)


def test_each_digit_of_the_text_is_held(sample_home: Home, written: dict[str, str]) -> None:
    text, origins = written[TEXT], written[TEXT_ORIGINS]
    with release_of(sample_home) as published:
        assert check_markdown(text, origins, published) == []
        for altered_text, count in altered_line_by_line(text):
            problems = check_markdown(altered_text, origins, published)
            assert len(problems) == count
            assert all(problem.startswith("shows ") for problem in problems)


def test_each_digit_of_the_origins_of_the_text_is_held(home: Home) -> None:
    files = write_report(home, FIRST_DAY)
    text, origins = files[TEXT].read_text(), files[TEXT_ORIGINS].read_text()
    with release_of(home, FIRST_DAY) as published:
        assert check_markdown(text, origins, published) == []
        for altered_origins, count in altered_line_by_line(origins):
            assert len(check_markdown(text, altered_origins, published)) >= count


@pytest.mark.parametrize("name", FILES)
def test_a_digit_anywhere_in_the_file_is_held(home: Home, name: str) -> None:
    """Also where no reader looks: in a reference, a drawing's path, a style."""
    write_report(home, HONG_KONG_ALONE)
    path = home.reports / HONG_KONG_ALONE.isoformat() / name
    text = path.read_text()
    places = [match.start() for match in re.finditer(r"[0-9]", text)]
    for at in random.Random(4).sample(places, 15):
        path.write_text(altered(text, at))
        assert check_report(home, HONG_KONG_ALONE) != [], text[at - 60 : at + 60]
    path.write_text(text)
    assert check_report(home, HONG_KONG_ALONE) == []


def test_an_altered_figure_is_named_with_what_the_release_holds(home: Home) -> None:
    html = write_report(home, DAY)[PAGE]
    page = html.read_text()
    assert page.count(">26,908.39<") >= 3  # in a sentence, in a table, in a drawing
    html.write_text(page.replace(">26,908.39<", ">26,908.38<", 1))
    (problem,) = check_report(home, DAY)
    assert problem == (
        "market_report.html: shows '26,908.38', but close of index_performance, symbol HSI, "
        "trade_date 2025-09-17 is '26,908.39'"
    )


def test_words_of_the_report_are_held_too(home: Home) -> None:
    markdown = write_report(home, SUNDAY)[TEXT]
    markdown.write_text(markdown.read_text().replace("were closed", "were open"))
    (problem,) = check_report(home, SUNDAY)
    assert "line 5" in problem
    assert "were open" in problem


def test_a_correction_is_found_in_a_report_written_before(home: Home) -> None:
    write_report(home, DAY)
    with changed(home) as con:
        con.execute(
            """update main.index_performance set close = 26908.40
            where symbol = 'HSI' and trade_date = DATE '2025-09-17'"""
        )
    problems = check_report(home, DAY)
    assert any(
        p.startswith("market_report.md: shows '26,908.39', but close of index_performance")
        for p in problems
    )
    assert any(p.startswith("market_report.html: shows '26,908.39'") for p in problems)


def test_a_row_that_went_away_is_found(home: Home) -> None:
    write_report(home, DAY)
    with changed(home) as con:
        con.execute("delete from main.index_performance where symbol = 'HSTECH'")
    assert any("no row for index_performance, symbol HSTECH" in p for p in check_report(home, DAY))


def test_a_figure_shows_its_feed_file_and_line(sample_home: Home, written: dict[str, str]) -> None:
    with connect(sample_home.published, read_only=True) as con:
        origin = con.execute(
            """select feed, file, line_number, file_sha256 from main.figure_origin
            where record_kind = 'index_close' and symbol = 'HSI' and is_chosen
            and trade_date = DATE '2025-09-17'"""
        ).fetchone()
    assert origin is not None
    feed, file, line, sha256 = origin
    page = written[PAGE]
    assert (
        'data-origin="Close of HSI on 17 September 2025: 26908.390000. '
        f'From line {line} of {file}."' in page
    )
    place = f"feed {feed}, file {file} line {line}, SHA-256 {sha256[:12]}…"
    assert f"HSI 2025-09-17: {place}" in page
    assert f"HSI 2025-09-17: {place}" in written[TEXT_ORIGINS]


NEW_SECTION = """
from dagster_project.report.figures import say
from dagster_project.report.section import Section
from dagster_project.report.tables import Column, table


class Calendar(Section):
    name = "calendar"
    title = "Calendar"
    order = 1000

    def tables(self):
        rows = self.published.rows("dim_market", "order by market")
        columns = [Column("Market", "words"), Column("Day")]
        day = self.day.report.figure("trade_date", "date")
        cells = [(row.figure("market", "text"), day) for row in rows]
        return table("calendar", say("The markets of the day"), columns, cells)
"""


def test_a_new_section_is_one_new_file(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "added_by_test.py").write_text(NEW_SECTION)
    monkeypatch.setattr(sections, "__path__", [*sections.__path__, str(tmp_path)])
    importlib.invalidate_caches()
    files = write_report(home, DAY)
    markdown, html = files[TEXT], files[PAGE]
    assert "## Calendar\n\n**The markets of the day**\n\n| Market |" in markdown.read_text()
    page = html.read_text()
    assert '<li><a href="#calendar">Calendar</a></li>' in page
    assert '<section id="calendar" aria-labelledby="calendar-title">' in page
    assert page.index('id="claims"') < page.index('id="calendar"') < page.index('id="origins"')
    assert check_report(home, DAY) == []


# Files and settings


def test_the_same_release_gives_the_same_bytes(home: Home) -> None:
    first = [path.read_bytes() for path in write_report(home, DAY).values()]
    assert [path.read_bytes() for path in write_report(home, DAY).values()] == first
    assert sorted(path.name for path in (home.reports / "2025-09-17").iterdir()) == [
        "data_quality.html",
        "market_report.html",
        "market_report.md",
        "market_report.origins.md",
    ]


def test_a_report_that_is_not_there_is_a_problem(home: Home) -> None:
    html = write_report(home, SUNDAY)[PAGE]
    html.unlink()
    (problem,) = check_report(home, SUNDAY)
    assert problem == f"{html} is not there: the report of 2025-09-14 is not written"
    html.write_bytes(b"\xff")
    (problem,) = check_report(home, SUNDAY)
    assert "no UTF-8" in problem


@pytest.mark.parametrize("day", [date(2025, 9, 18), date(2020, 12, 31)])
def test_a_date_that_no_run_asked_for_is_refused(home: Home, day: date) -> None:
    with pytest.raises(ReportError, match=f"make nightly DATE={day}"):
        write_report(home, day)


def test_without_a_release_there_is_no_report(tmp_path: Path) -> None:
    with pytest.raises(ReportError, match="is not there yet"):
        write_report(Home(tmp_path), DAY)
    with pytest.raises(ReportError, match="is not there yet"):
        check_report(Home(tmp_path), DAY)


@pytest.mark.parametrize(
    ("colours", "legend"),
    [("hong_kong", "Red ▲ is up, green ▼ is down."), ("western", "Green ▲ is up, red ▼ is down.")],
)
def test_colours_are_a_setting(
    home: Home, monkeypatch: pytest.MonkeyPatch, colours: str, legend: str
) -> None:
    monkeypatch.setenv("CLOSING_BELL_COLOURS", colours)
    html = write_report(home, MAINLAND_ALONE)[PAGE]
    page = html.read_text()
    assert f'<html lang="en" data-colours="{colours}">' in page
    assert legend in page
    # What was set when it was written holds for its check.
    monkeypatch.delenv("CLOSING_BELL_COLOURS")
    assert check_report(home, MAINLAND_ALONE) == []


def test_it_needs_no_dagster() -> None:
    code = "import sys, dagster_project.report.files; sys.exit('dagster' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], cwd=PROJECT_ROOT, check=True)


# The page


class Elements(HTMLParser):
    """All start tags of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def of(self, *tags: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.found if tag in tags]


def test_the_page_asks_nothing_of_the_network(written: dict[str, str]) -> None:
    page = written[PAGE]
    elements = Elements(page)
    assert elements.of("script", "link", "img", "iframe", "object", "embed", "base", "form") == []
    for _, attributes in elements.found:
        assert not {"src", "srcset", "xlink:href", "onclick", "onload"} & attributes.keys()
        # A link to a page beside it loads nothing until somebody follows it.
        href = attributes.get("href") or "#"
        assert href.startswith("#") or href in (
            "../index.html",
            "../explore.html",
            "data_quality.html",
        )
    assert not re.search(r"url\(|@import|image-set", page)
    assert set(re.findall(r"https?://[^\"' <]+", page)) == {"http://www.w3.org/2000/svg"}
    assert "default-src 'none'" in page


def test_the_page_can_be_read_without_eyes(written: dict[str, str]) -> None:
    page = written[PAGE]
    elements = Elements(page)
    ids = Counter(attributes["id"] for _, attributes in elements.found if "id" in attributes)
    assert set(ids.values()) == {1}
    for _, attributes in elements.found:
        for name in ("aria-labelledby", "aria-describedby"):
            assert attributes.get(name, next(iter(ids))) in ids
        if (attributes.get("href") or "").startswith("#"):
            assert (attributes["href"] or "")[1:] in ids
    assert len(elements.of("caption")) == len(elements.of("table")) > 10
    assert all(th.get("scope") in ("row", "col") for th in elements.of("th"))
    drawings = elements.of("svg")
    assert len(drawings) >= 10
    assert all(svg.get("role") and svg.get("aria-labelledby") for svg in drawings)
    # Direction is told by a sign, not by colour alone.
    for side, sign in (("up", "+"), ("down", "−")):
        told = re.findall(rf'<a class="figure {side}"[^>]*>([^<]*)</a>', page)
        assert told
        assert all(text.startswith(sign) for text in told)


def test_the_mail_says_what_the_report_says(sample_home: Home, written: dict[str, str]) -> None:
    with release_of(sample_home) as published:
        mail = mail_of(published, "hong_kong", "http://ui/assets")
    headline, *paragraphs = story(written[TEXT]).removeprefix("# ").strip().split("\n\n")
    assert mail.subject == f"{headline} (17 September 2025)"
    shown = html.unescape(re.sub(r"<[^>]*>", "", mail.html))
    for paragraph in paragraphs[1:]:
        words = re.sub(r"\\(.)", r"\1", paragraph)
        assert words in mail.text
        assert words in shown
    assert "Hang Seng Index              " in mail.text
    for figure in ("26,908.39", "+1.78 %"):
        assert f"{figure}\n" in mail.text or f"{figure}  " in mail.text
        assert f">{figure}</td>" in mail.html
    # Mail clients load nothing, and know no style sheet.
    assert not re.search(r"<(link|style|script|img)", mail.html)
    assert "See http://ui/assets" in mail.text


def test_hostile_names_stay_text(home: Home) -> None:
    with changed(home) as con:
        for statement in (
            "update main.index_performance set name = $name",
            "update main.dim_index set name = $name",
            "update main.security_performance set name = $name",
            "update main.dim_sector set name = $name",
            "update seed.basket set name = $name",
            "update main.release_check set explanation = $name, passed = false",
            "update main.published_figure_check set statement = $name, explanation = $name, "
            "source = $name, verdict = 'contradicted'",
            "update main.event_reaction set what = $name",
            "update main.target_price set broker = $name, name = $name",
            "update main.session_coverage set status = 'missing', first_missing_symbol = $name",
        ):
            con.execute(statement, {"name": HOSTILE})
    files = write_report(home, DAY)
    assert check_report(home, DAY) == []
    for name in (PAGE, QUALITY_PAGE):
        elements = Elements(files[name].read_text())
        assert elements.of("script") == []
        assert len([title for title in elements.of("title") if "data-title" not in title]) == 1
    body = files[TEXT].read_text().split("\n")
    assert not any(re.search(r"(?<!\\)<", line) for line in body)
    for before, line in itertools.pairwise(body):
        if before.startswith("| ") and line.startswith("| "):  # of one table
            cells = [len(re.split(r"(?<!\\)\|", row)) for row in (before, line)]
            assert cells[0] == cells[1], line
