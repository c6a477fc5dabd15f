"""What becomes of a source on a day: every way in which a site answers, played on this machine.

Belongs here: outcomes, messages, what is written, what is asked and how often. Does not belong
here: the rules on bytes alone (`test_judge.py`).
"""

import gzip
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

import httpx
import pytest

from dagster_project.fetch import download
from dagster_project.fetch.fetching import fetch_day
from dagster_project.fetch.outcomes import Fetched, why_absent
from dagster_project.fetch.source_spec import Source, SourceError, Sources, load_sources
from dagster_project.home import PROJECT_ROOT, Home
from seeds.sample import publishers
from seeds.sample.exchange_server import ExchangeServer, Play, exchange_server

NIGHT = date(2025, 9, 17)
EVENING = datetime(2025, 9, 17, 19)
NEXT_MORNING = datetime(2025, 9, 18, 8)
OVERVIEW = publishers.sse_overview(NIGHT, {"17": ("9163.02", "508.58")})
OTHER_DAY = publishers.sse_overview(date(2025, 9, 16), {"17": ("9163.02", "508.58")})
PATH = "/commonQuery.do"
ETAG = {"ETag": '"1"'}


@pytest.fixture
def server() -> Iterator[ExchangeServer]:
    with exchange_server() as server:
        yield server


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long is waited between two questions, instead of waiting."""
    waited: list[float] = []
    monkeypatch.setattr("time.sleep", waited.append)
    return waited


OFFERED = load_sources(Path("/nowhere")).offered


def source(url: str, name: str = "sse_overview", **changes: object) -> Source:
    return OFFERED[name].model_copy(update={"url": url, "pace_seconds": 0} | changes)


def fetched(
    home: Home, source: Source, now: datetime = EVENING, day: date = NIGHT, again: bool = False
) -> Fetched:
    sources = Sources({source.source: source}, OFFERED, "desk@example.com")
    (found,) = fetch_day(home, sources, day, now, again)
    return found


def test_a_file_is_written_with_its_origin_beside_it(home: Home, server: ExchangeServer) -> None:
    url = server.play(PATH, Play(OVERVIEW, headers=ETAG))
    assert fetched(home, source(url)).outcome == "new"
    file = home.landing / "sse_overview" / "20250917.json"
    assert file.read_bytes() == OVERVIEW
    origin = json.loads((file.parent / ".20250917.json.origin.json").read_text())
    assert origin["url"].startswith(url)
    assert (origin["bytes"], origin["etag"]) == (len(OVERVIEW), '"1"')
    assert sorted(path.name for path in file.parent.iterdir()) == [
        ".20250917.json.origin.json", "20250917.json",
    ]  # fmt: skip
    ((asked, headers),) = server.asked
    assert "SEARCH_DATE=2025-09-17" in asked
    assert headers["Referer"] == "https://www.sse.com.cn/"
    assert headers["User-Agent"].startswith("Closing-Bell/")
    assert "desk@example.com" in headers["User-Agent"]


def test_a_large_page_is_kept_packed_with_the_hash_of_what_was_sent(
    home: Home, server: ExchangeServer
) -> None:
    quote = publishers.Quote("700", "TENCENT", "1", None, "1", "1", "1", 100, 100)
    page = publishers.daily_quotations(NIGHT, "main", [quote], sales=4_000)
    hkex = source(server.play("/d250917e.htm", Play(page)), "hkex_main_board")
    assert fetched(home, hkex).outcome == "new"
    file = home.landing / "hkex_daily_quotations" / "d250917e.htm.gz"
    assert gzip.decompress(file.read_bytes()) == page
    assert fetched(home, hkex, again=True).outcome == "unchanged"


def test_nothing_is_asked_for_twice(home: Home, server: ExchangeServer) -> None:
    sse = source(server.play(PATH, Play(OVERVIEW, headers=ETAG)))
    assert [fetched(home, sse).outcome for _ in range(3)] == ["new", "unchanged", "unchanged"]
    assert len(server.asked) == 1


def test_a_correction_under_the_same_name_is_taken_the_next_morning(
    home: Home, server: ExchangeServer
) -> None:
    corrected = OVERVIEW.replace(b"9163.02", b"9163.12")
    url = server.play(
        PATH, Play(OVERVIEW, headers=ETAG), Play(OVERVIEW, headers=ETAG),
        Play(corrected, headers={"ETag": '"2"'}),
    )  # fmt: skip
    sse = source(url)
    assert fetched(home, sse).outcome == "new"
    # With its ETag, the publisher need not send it again.
    assert fetched(home, sse, NEXT_MORNING, again=True).outcome == "unchanged"
    assert server.asked[-1][1]["If-None-Match"] == '"1"'
    assert fetched(home, sse, NEXT_MORNING, again=True).outcome == "changed"
    assert (home.landing / "sse_overview" / "20250917.json").read_bytes() == corrected


def test_a_history_is_fetched_anew_each_day(home: Home, server: ExchangeServer) -> None:
    def of(*days: str) -> bytes:
        return json.dumps({"code": "200", "data": [{"tradeDate": day} for day in days]}).encode()

    url = server.play(PATH, Play(of("20250916", "20250917")), Play(of("20250916", "20250917")),
                      Play(of("20250916", "20250917", "20250918")))  # fmt: skip
    csindex = source(url, "csindex_931743")
    assert [fetched(home, csindex).outcome for _ in range(2)] == ["new", "unchanged"]
    assert len(server.asked) == 1
    next_day, evening = date(2025, 9, 18), datetime(2025, 9, 18, 19)
    # It ends with the day before, until the publisher has added the day.
    assert fetched(home, csindex, evening, next_day).outcome == "not_yet"
    assert fetched(home, csindex, evening, next_day).outcome == "new"
    assert fetched(home, csindex, evening, next_day).outcome == "unchanged"
    assert len(server.asked) == 3


def test_a_history_that_has_not_changed_lacks_the_day(home: Home, server: ExchangeServer) -> None:
    eve = json.dumps({"code": "200", "data": [{"tradeDate": "20250917"}]}).encode()
    csindex = source(server.play(PATH, Play(eve, headers=ETAG)), "csindex_931743")
    assert fetched(home, csindex).outcome == "new"
    next_day = date(2025, 9, 18)
    for hour in (17, 19):
        # Answered with 304: the publisher has not added the day yet.
        found = fetched(home, csindex, datetime(2025, 9, 18, hour), next_day)
        assert (found.outcome, server.asked[-1][1]["If-None-Match"]) == ("not_yet", '"1"')


def test_what_calendar_and_clock_say_is_not_asked(home: Home, server: ExchangeServer) -> None:
    sse = source(server.play(PATH, Play(OVERVIEW)))
    saturday = fetched(home, sse, datetime(2025, 9, 20, 19), date(2025, 9, 20))
    assert (saturday.outcome, saturday.message) == ("no_session", "no session of XSHG")
    early = fetched(home, sse, datetime(2025, 9, 17, 16, 29))
    assert (early.outcome, early.message) == ("not_yet", "is published at 16:30 Hong Kong time")
    kept = source(server.play(PATH, Play(OVERVIEW)), kept_days=28)
    assert fetched(home, kept, datetime(2025, 10, 16, 19)).outcome == "expired"
    assert not server.asked


@pytest.mark.parametrize(
    ("answer", "that_evening", "later"),
    [
        (Play(status=404), "not_yet", "expired"),
        (Play(b'{"result":[]}'), "not_yet", "expired"),
        (Play(OTHER_DAY), "not_yet", "damaged"),
        (Play(b"<html>busy, please try again</html>"), "damaged", "damaged"),
        (Play(OVERVIEW[:-1]), "damaged", "damaged"),
        (Play(b'{"error": "at most five days", "result": []}'), "refused", "refused"),
        (Play(status=403), "refused", "refused"),
        (Play(status=418), "unreachable", "unreachable"),
    ],
    ids=["404", "no data", "another day", "error page", "cut", "refused query", "403", "418"],
)
def test_what_is_no_file_of_the_day(
    home: Home, server: ExchangeServer, answer: Play, that_evening: str, later: str
) -> None:
    sse = source(server.play(PATH, answer))
    assert fetched(home, sse).outcome == that_evening
    assert fetched(home, sse, datetime(2025, 9, 22, 8)).outcome == later
    assert not list(home.landing.glob("**/*.json*"))


def test_a_refusal_stops_a_source_for_the_day_and_no_other(
    home: Home, server: ExchangeServer
) -> None:
    refusing = source(server.play(PATH, Play(status=403)))
    willing = source(server.play("/s", Play(publishers.sse_closing_snapshot(NIGHT, []))),
                     "sse_closing_snapshot")  # fmt: skip
    sources = Sources({"a": refusing, "b": willing}, OFFERED, None)
    outcomes = [found.outcome for found in fetch_day(home, sources, NIGHT, EVENING)]
    assert outcomes[0] == "refused"
    assert len(server.asked) == 2
    again = fetched(home, refusing)
    assert again.outcome == "refused"
    assert "is not asked again" in again.message
    assert len(server.asked) == 2
    server.play(PATH, Play(OVERVIEW))
    assert fetched(home, refusing, NEXT_MORNING).outcome == "new"


def test_a_busy_host_is_given_the_time_that_it_asks_for(
    home: Home, server: ExchangeServer, waits: list[float]
) -> None:
    busy = Play(status=429, headers={"Retry-After": "7"})
    url = server.play(PATH, busy, Play(status=503), Play(OVERVIEW))
    assert fetched(home, source(url)).outcome == "new"
    assert 7 in waits
    assert len(server.asked) == 3


def test_a_host_that_stays_busy_has_refused(
    home: Home, server: ExchangeServer, waits: list[float]
) -> None:
    busy = source(server.play(PATH, Play(status=429)))
    assert fetched(home, busy).outcome == "refused"
    assert len(server.asked) == download.ATTEMPTS
    # One that asks for more patience than a visit has is not asked again on this one.
    server.play("/b", Play(status=503, headers={"Retry-After": "3600"}))
    later = source(server.url + "/b", "szse_overview")
    assert fetched(home, later).outcome == "unreachable"
    assert len(server.asked) == download.ATTEMPTS + 1


def test_a_broken_transfer_goes_on_where_it_stopped(
    home: Home, server: ExchangeServer, waits: list[float]
) -> None:
    half = len(OVERVIEW) // 2
    url = server.play(PATH, Play(OVERVIEW, headers=ETAG, sent=half), Play(OVERVIEW, headers=ETAG))
    assert fetched(home, source(url)).outcome == "new"
    assert server.asked[-1][1]["Range"] == f"bytes={half}-"
    assert (home.landing / "sse_overview" / "20250917.json").read_bytes() == OVERVIEW


def test_without_an_etag_a_broken_transfer_begins_anew(
    home: Home, server: ExchangeServer, waits: list[float]
) -> None:
    url = server.play(PATH, Play(OVERVIEW, sent=9), Play(OVERVIEW))
    assert fetched(home, source(url)).outcome == "new"
    assert "Range" not in server.asked[-1][1]


def test_a_redirect_is_followed_on_the_same_host_only(home: Home, server: ExchangeServer) -> None:
    server.play("/there", Play(OVERVIEW))
    url = server.play(PATH, Play(status=302, headers={"Location": "/there"}))
    assert fetched(home, source(url)).outcome == "new"
    (home.landing / "sse_overview" / "20250917.json").unlink()
    elsewhere = server.url.replace("127.0.0.1", "localhost") + "/there"
    server.play(PATH, Play(status=302, headers={"Location": elsewhere}))
    found = fetched(home, source(url))
    assert found.outcome == "refused"
    assert "sends elsewhere, to localhost" in found.message


def test_more_than_a_file_of_the_source_can_have_is_not_taken(
    home: Home, server: ExchangeServer
) -> None:
    sse = source(server.play(PATH, Play(b"0" * 2_000_000)), largest_megabytes=1)
    assert "sends more than 1 MB" in fetched(home, sse).message


def test_nobody_there(home: Home, waits: list[float]) -> None:
    found = fetched(home, source("http://127.0.0.1:9/x"))
    assert found.outcome == "unreachable"
    assert f"after {download.ATTEMPTS} attempts" in found.message


def test_a_host_that_does_not_answer_in_time(
    home: Home, server: ExchangeServer, waits: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "TIMEOUT", httpx.Timeout(0.2))
    url = server.play(PATH, Play(OVERVIEW, delay=2), Play(OVERVIEW))
    assert fetched(home, source(url)).outcome == "new"
    assert len(server.asked) == 2


def test_a_wrong_certificate_is_never_passed_over(
    home: Home, waits: list[float], tmp_path: Path
) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("needs openssl, to make a certificate that nobody trusts")
    certificate = tmp_path / "self_signed.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj",
         "/CN=127.0.0.1", "-keyout", certificate, "-out", f"{certificate}.crt"],
        check=True, capture_output=True,
    )  # fmt: skip
    certificate.write_text(certificate.read_text() + Path(f"{certificate}.crt").read_text())
    with exchange_server(certificate) as server:
        found = fetched(home, source(server.play(PATH, Play(OVERVIEW))))
        assert not server.asked
    assert found.outcome == "unreachable"
    assert "certificate is not trusted" in found.message
    assert not [wait for wait in waits if wait]


def test_a_host_is_asked_at_its_pace(
    home: Home, server: ExchangeServer, waits: list[float]
) -> None:
    for name, path in (("sse_overview", PATH), ("szse_overview", "/z")):
        url = server.play(path, Play(status=404))
        fetched(home, source(url, name, pace_seconds=5))
    assert len([wait for wait in waits if 4 < wait <= 5]) == 1


def test_a_crash_between_file_and_origin_asks_again(home: Home, server: ExchangeServer) -> None:
    sse = source(server.play(PATH, Play(OVERVIEW, headers=ETAG)))
    fetched(home, sse)
    (home.landing / "sse_overview" / ".20250917.json.origin.json").unlink()
    assert fetched(home, sse, again=True).outcome == "unchanged"
    assert "If-None-Match" not in server.asked[-1][1]


# --- Switching on ---------------------------------------------------------------------------------


def test_every_source_is_off_until_it_is_switched_on(tmp_path: Path) -> None:
    assert not load_sources(tmp_path).on
    (tmp_path / "sources.yaml").write_text(
        "contact: desk@example.com\nsources:\n  sse_overview: true\n  hkex_gem: false\n"
        "  szse_overview: {url: 'http://127.0.0.1:1/z'}\n"
    )
    sources = load_sources(tmp_path)
    assert list(sources.on) == ["sse_overview", "szse_overview"]
    assert sources.on["szse_overview"].url == "http://127.0.0.1:1/z"
    assert sources.contact == "desk@example.com"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sources: {sse: true}", "no source is named sse; there are csindex_931743, "),
        ("sources: {sse_overview: {adress: x}}", "sources.sse_overview"),
        ("contact: nobody", "contact"),
        ("- sse_overview", "names no source"),
    ],
)
def test_a_mistake_in_the_switches_is_named(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "sources.yaml").write_text(text)
    with pytest.raises(SourceError, match=message):
        load_sources(tmp_path)


def test_every_source_fills_a_folder_that_a_feed_reads() -> None:
    from tests.unit.ingest.support import SPECS

    for name, offered in OFFERED.items():
        folder, file = offered.path(NIGHT).split("/")
        readers = [spec for spec in SPECS.values() if spec.landing_folder == folder]
        assert any(spec.match(file) is not None for spec in readers), name


BULLETIN = publishers.hsi_bulletin(
    NIGHT, [("Hang Seng Index", "26908.39", "26958.70", "26537.88", "469.88", "1.78")]
)


def listing(address: str, day: date = NIGHT) -> bytes:
    """A list in which the day stands under two series, and another before it."""
    return publishers.hsi_bulletin_list(
        {"size": {day: "/idx_no.csv"}, "hsi": {date(2025, 9, 16): "/idx_old.csv", day: address}}
    )


def test_a_file_whose_address_a_list_has(home: Home, server: ExchangeServer) -> None:
    url = server.play("/list.json", Play(listing("/download/idx_17Sep25.csv")))
    server.play("/download/idx_17Sep25.csv", Play(BULLETIN))
    found = fetched(home, source(url, "hsi_bulletin"))
    assert found.outcome == "new", found
    assert (home.landing / found.file).read_bytes() == BULLETIN
    origin = json.loads((home.landing / found.file).with_name(
        ".hsi_20250917.csv.origin.json").read_text())  # fmt: skip
    assert origin["url"] == f"{server.url}/download/idx_17Sep25.csv"


def test_a_list_that_has_not_the_day_or_leads_elsewhere(home: Home, server: ExchangeServer) -> None:
    url = server.play("/list.json", Play(listing("/idx.csv", date(2025, 9, 15))))
    assert fetched(home, source(url, "hsi_bulletin")).outcome == "not_yet"
    assert fetched(home, source(url, "hsi_bulletin"), now=NEXT_MORNING).outcome == "expired"
    server.play("/list.json", Play(listing("https://elsewhere.example/idx.csv")))
    found = fetched(home, source(url, "hsi_bulletin"))
    assert found.outcome == "refused"
    assert "elsewhere.example" in found.message
    assert "unverified" in found.message


AKSHARE = """
import os, pandas

class Refusal(Exception):
    class response:
        status_code = 403

def index_zh_a_hist(symbol, period, start_date, end_date):
    print("reads", symbol)
    if os.environ["ANSWER"] == "refuse":
        raise Refusal("Forbidden")
    if os.environ["ANSWER"] == "fail":
        raise KeyError("klines")
    day = pandas.to_datetime(end_date).date()
    return pandas.DataFrame({"日期": [day], "收盘": [3876.34], "成交额": [1e12]})
"""


@pytest.mark.parametrize(
    ("answer", "outcome", "said"),
    [
        ("right", "new", "kB"),
        ("refuse", "refused", "AkShare was refused: Refusal: Forbidden"),
        ("fail", "unreachable", "AkShare's index_zh_a_hist failed: KeyError: 'klines'"),
        (None, "unreachable", "AkShare is not installed: pip install 'closing-bell[akshare]'"),
    ],
)
def test_what_only_akshare_reaches(
    home: Home,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    answer: str | None,
    outcome: str,
    said: str,
) -> None:
    """A library of the same name stands in for it: what it asks is not on this machine."""
    folder = tmp_path / "library"
    folder.mkdir()
    text = "raise ModuleNotFoundError" if answer is None else AKSHARE
    folder.joinpath("akshare.py").write_text(text, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(folder), str(PROJECT_ROOT)]))
    monkeypatch.setenv("ANSWER", answer or "")
    offered = OFFERED["eastmoney_index_000001"]
    found = fetched(home, offered.model_copy(update={"pace_seconds": 0}))
    assert found.outcome == outcome, found
    assert said in found.message
    if outcome == "new":
        content = (home.landing / found.file).read_text(encoding="utf-8")
        assert content == "日期,收盘,成交额\n2025-09-17,3876.34,1000000000000.0\n"


def test_why_files_of_a_day_are_absent_is_kept(home: Home, server: ExchangeServer) -> None:
    url = server.play(PATH, Play(status=403))
    fetched(home, source(url))
    why = "sse_overview refused, it refuses with 403"
    assert (why_absent(home, "sse_overview", NIGHT) or "").startswith(why)
    assert why_absent(home, "sse_overview", NIGHT.replace(day=16)) is None
    assert why_absent(home, "szse_overview", NIGHT) is None
    server.play(PATH, Play(OVERVIEW))
    assert fetched(home, source(url), now=NEXT_MORNING).outcome == "new"
    assert why_absent(home, "sse_overview", NIGHT) is None


def test_a_history_that_is_gone_for_an_hour_lacks_the_day(
    home: Home, server: ExchangeServer
) -> None:
    eve = date(2025, 9, 16)
    history = publishers.csindex("931743", [(eve, ["1", "2", "1", "2"], 5, "1.5")])
    url = server.play("/history", Play(history))
    asked = source(url, "csindex_931743")
    assert fetched(home, asked, now=datetime(2025, 9, 16, 19), day=eve).outcome == "new"
    server.play("/history", Play(status=404))
    assert fetched(home, asked).outcome == "not_yet"
    assert fetched(home, asked, now=NEXT_MORNING).outcome == "expired"
    # Of the day that it holds, it is there.
    assert fetched(home, asked, now=NEXT_MORNING, day=eve, again=True).outcome == "unchanged"
