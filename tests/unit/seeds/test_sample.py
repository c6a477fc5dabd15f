"""The bundled sample: its bytes, its formats, its laws and the figures it must hold.

Not here: whether the feed specs read it, and what the warehouse makes of it.
"""

from __future__ import annotations

import csv
import importlib.util
import io
import json
import os
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from statistics import mean
from types import ModuleType

import openpyxl
import pytest

ROOT = Path(__file__).parents[3]
SCRIPT = ROOT / "seeds" / "sample" / "generate.py"
HEADLINE = "2025-09-17"
BEFORE = "2025-09-16"
TECH_MAJORS = ["9988", "0700", "3690", "9618", "1810", "9888", "1024", "9999"]

Row = dict[str, str]


@pytest.fixture(scope="module")
def generator() -> ModuleType:
    """The generator: a script beside the dbt seeds, not part of a package."""
    spec = importlib.util.spec_from_file_location("sample_generate", SCRIPT)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def landing(generator: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sample")
    generator.generate(folder)
    return folder


def content(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def rows(path: Path, skip: int = 0) -> list[Row]:
    """A delimited file's rows; skip counts the header lines after the first."""
    first, *others = path.read_text(encoding="utf-8").splitlines()
    names = [name.strip() for name in first.split(",")]
    return [
        dict(zip(names, map(str.strip, line), strict=True)) for line in csv.reader(others[skip:])
    ]


def wsj(landing: Path) -> list[Row]:
    """Oldest first, dates as elsewhere."""
    result = rows(landing / "wsj_index" / "HSI.csv")[::-1]
    return [
        {**row, "Date": datetime.strptime(row["Date"], "%m/%d/%y").date().isoformat()}
        for row in result
    ]


def yahoo(landing: Path, symbol: str) -> list[Row]:
    read = rows(landing / "yahoo_hk" / f"{symbol}.HK.csv", skip=2)
    return [{"Date": row.pop("Price"), **row} for row in read]


def csindex(landing: Path) -> list[Row]:
    document = json.loads((landing / "csindex" / "931743.json").read_text(encoding="utf-8"))
    return [{name: str(value) for name, value in record.items()} for record in document["data"]]


def eastmoney(landing: Path) -> dict[str, list[Row]]:
    return {path.stem: rows(path) for path in sorted((landing / "eastmoney_a_share").iterdir())}


def baostock(landing: Path) -> dict[str, list[Row]]:
    folder = landing / "baostock_a_share"
    return {
        path.stem.removeprefix("sh.").removeprefix("sz."): rows(path)
        for path in sorted(folder.iterdir())
    }


def short(price: str) -> str:
    """A price without its trailing zeros but one, as most vendors write it."""
    return repr(float(price))


def closes(series: list[Row], day: str = "date", close: str = "close") -> dict[str, float]:
    return {row[day]: float(row[close]) for row in series}


def industries(landing: Path) -> dict[str, str]:
    listed = rows(landing / "tushare_stock_list" / "stock_list.csv")
    return {row["ts_code"][:6]: row["industry"] for row in listed}


def board(landing: Path, name: str) -> dict[str, dict[int, str]]:
    """Turnover rows of the exchange's archive, by date: column number to text."""
    path = landing / "hkex_turnover" / f"{name}_2021_2025.json"
    table: dict[int, dict[int, str]] = defaultdict(dict)
    for cell in json.loads(path.read_text(encoding="utf-8-sig"))["tables"][0]["body"]:
        table[cell["row"]][cell["col"]] = cell["text"]
    return {row[0]: row for row in table.values()}


# -- Bytes ---------------------------------------------------------------------------------------


def test_two_runs_give_the_same_bytes(landing: Path, tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONHASHSEED": "17", "TZ": "America/New_York"}
    command = [sys.executable, str(SCRIPT), str(tmp_path)]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert run.stdout.startswith("145 synthetic files, ")
    assert content(tmp_path) == content(landing)


def test_a_rerun_touches_only_what_differs(generator: ModuleType, tmp_path: Path) -> None:
    paths = generator.generate(tmp_path)
    spoilt = paths[0]
    spoilt.write_bytes(b"other")
    for path in paths:
        os.utime(path, ns=(1, 1))
    assert generator.generate(tmp_path) == paths
    assert [path for path in paths if path.stat().st_mtime_ns != 1] == [spoilt]
    assert sorted(paths) == sorted(path for path in tmp_path.rglob("*") if path.is_file())


def test_the_sample_is_small(landing: Path) -> None:
    assert sum(map(len, content(landing).values())) < 10_500_000


def test_an_earlier_evening_holds_the_same_rows(
    generator: ModuleType, landing: Path, tmp_path: Path
) -> None:
    generator.generate(tmp_path, date(2025, 9, 16))
    early, late = content(tmp_path), content(landing)
    assert set(late) - set(early) == {
        name
        for name in late
        if name.startswith(("tushare_daily/", "tushare_daily_basic/"))
        and name.rsplit("/")[1] > "20250916.csv"
    }
    assert early["tushare_name_change/names.csv"] == late["tushare_name_change/names.csv"]
    feeds = ("yahoo_hk", "yahoo_index", "eastmoney_a_share", "baostock_index", "baostock_a_share")
    for feed in feeds:
        for name in (name for name in early if name.startswith(f"{feed}/")):
            assert late[name].startswith(early[name])
            assert b"2025-09-16," in early[name].splitlines()[-1]
    header, *newest_first = late["wsj_index/HSI.csv"].splitlines()
    from_then = next(i for i, row in enumerate(newest_first) if row.startswith(b"09/16/25"))
    assert early["wsj_index/HSI.csv"].splitlines() == [header, *newest_first[from_then:]]


@pytest.mark.parametrize("through", [date(2021, 1, 4), date(2025, 10, 1)])
def test_an_evening_outside_the_sample_is_refused(
    generator: ModuleType, tmp_path: Path, through: date
) -> None:
    with pytest.raises(ValueError, match="the sample can end from 2025-01-02 to 2025-09-30"):
        generator.generate(tmp_path, through)


def test_an_anchor_on_a_holiday_is_refused(generator: ModuleType) -> None:
    with pytest.raises(ValueError, match=r"HSI: anchors\.toml has 2025-01-01, which is not"):
        generator.walk("HSI", [date(2025, 1, 2)], {date(2025, 1, 1): 1.0}, 1.0)


# -- Formats -------------------------------------------------------------------------------------

EASTMONEY_HEADER = "日期,股票代码,开盘,收盘,最高,最低,成交量,成交额,振幅,涨跌幅,涨跌额,换手率"
TICKER_LINE = "Ticker,9888.HK,9888.HK,9888.HK,9888.HK,9888.HK"
TUSHARE_HEADER = "ts_code,trade_date,open,high,low,close,pre_close,change,pct_chg,vol,amount"
BAOSTOCK_SHARE_HEADER = (
    "volume,code,psTTM,high,adjustflag,tradestatus,pbMRQ,preclose,pctChg,open,close,peTTM,isST,turn,"
    "pcfNcfTTM,low,date,amount,time"
)
BAOSTOCK_HEADER = "date,open,close,high,low,volume,amount,turn,pctChg"

# path below landing, header lines, the row of 2025-09-17 (the stock list: a row), the same in the
# folder of real files or None
FORMATS = [
    (
        "wsj_index/HSI.csv",
        ["Date, Open, High, Low, Close"],
        r"09/17/25(, \d{5}\.\d{2}){4}",
        "index_wsj/HSI.csv",
    ),
    (
        "yahoo_index/HSCEI.csv",
        ["Date,Close,High,Low,Open,Volume"],
        r"2025-09-17,9596\.76953125(,\d{4}\.\d{1,12}){3},\d+",
        "index_yahoo/HSCEI.csv",
    ),
    (
        "yahoo_hk/9888.HK.csv",
        ["Price,Close,High,Low,Open,Volume", TICKER_LINE, "Date,,,,,"],
        r"2025-09-17,131\.0(,\d{3}\.\d{1,15}){3},\d+",
        "hk_yahoo/9888.HK.csv",
    ),
    (
        "sina_index/hstech.csv",
        ["date,open,high,low,close,symbol,name,source,fetch_time"],
        r"2025-09-17(,\d{4}\.\d{1,2}){4},HSTECH,恒生科技,SYNTHETIC_SAMPLE,2025-09-30T18:30:00\+08:00",
        "index_sina/hstech.csv",
    ),
    (
        "sina_index/sz399006.csv",
        ["date,open,close,high,low,volume,symbol,source,fetch_time"],
        r"2025-09-17(,\d{4}\.\d{1,3}){4},\d+\.0,sz399006,SYNTHETIC_SAMPLE,2025-09-30T18:30:00",
        "index_sina/sz399006.csv",
    ),
    *(
        (
            f"baostock_index/{code}.csv",
            [BAOSTOCK_HEADER],
            r"2025-09-17(,\d+\.\d{4}){4},\d+,\d+\.\d{4},\d\.\d{6},-?\d\.\d{6}",
            f"index_baostock/{code}.csv",
        )
        for code in ("sh000001", "sz399001", "sh000300")
    ),
    (
        "eastmoney_a_share/600519.csv",
        [EASTMONEY_HEADER],
        r"2025-09-17,600519(,\d+\.\d{1,2}){4},\d+,\d+\.0,\d\.\d+(,-?\d+\.\d{1,2}){2},\d\.\d+",
        "a_share_eastmoney/600519.csv",
    ),
    (
        "tushare_daily/20250917.csv",
        [TUSHARE_HEADER],
        r"000001\.SZ,20250917(,\d+\.\d{1,2}){5},-?\d\.\d+,-?\d\.\d{1,4},\d+\.\d{1,2},\d+\.\d{1,3}",
        "tushare/daily_20250403.csv",
    ),
    (
        "baostock_a_share/sh.600809.csv",
        [BAOSTOCK_SHARE_HEADER],
        r"\d+,sh\.600809,[0-9.]+,\d+\.\d{4},3,1,[0-9.]+,204\.5000,-0\.\d{6},\d+\.\d{4},202\.6000,"
        r"[0-9.]+,0,\d\.\d{6},[0-9.]+,\d+\.\d{4},2025-09-17,\d+\.\d{4},2025-09-17",
        "a_share_baostock/sh.600809.csv",
    ),
    (
        "tushare_daily_basic/20250917.csv",
        ["ts_code,trade_date,close,turnover_rate,total_share,float_share,total_mv,circ_mv"],
        r"000001\.SZ,20250917,11\.72,\d\.\d{1,4},2911500\.0,1941000\.0,34122780\.0,22748520\.0",
        None,
    ),
    (
        "tushare_name_change/names.csv",
        ["ts_code,name,start_date,end_date,ann_date,change_reason"],
        r"600518\.SH,ST康美,20240102,20240703,,其他",
        None,
    ),
    (
        "tushare_stock_list/stock_list.csv",
        ["ts_code,symbol,name,area,industry"],
        r"000001\.SZ,1,平安银行,深圳,银行",
        "sectors/a_share_stocklist_tushare_industry.csv",
    ),
    (
        "ecb_exchange_rates/eurofxref-hist.csv",
        [
            "Date,USD,JPY,BGN,CYP,CZK,DKK,EEK,GBP,HUF,LTL,LVL,MTL,PLN,ROL,RON,SEK,SIT,SKK,CHF,ISK,"
            "NOK,HRK,RUB,TRL,TRY,AUD,BRL,CAD,CNY,HKD,IDR,ILS,INR,KRW,MXN,MYR,NZD,PHP,SGD,THB,ZAR,"
        ],
        r"2025-09-17,1\.183,\d+\.\d+,1\.9558,N/A,.*,",
        None,
    ),
    (
        "broker_target_price/targets.csv",
        ["symbol,broker,date,target,currency"],
        r"9988\.HK,A broker,2025-09-17,174\.0,HKD",
        None,
    ),
    (
        "market_event/events.csv",
        ["event,date,basket,what"],
        r"services_consumption,2025-09-16,(hk|mainland)_consumer,[^,]+",
        None,
    ),
]
IDS = [path for path, *_ in FORMATS]


@pytest.mark.parametrize(("path", "header", "row", "_real"), FORMATS, ids=IDS)
def test_format(landing: Path, path: str, header: list[str], row: str, _real: str | None) -> None:
    text = (landing / path).read_bytes().decode()  # utf-8 without a BOM, "\n" only
    assert not text.startswith("\ufeff")
    assert "\r" not in text
    lines = text.split("\n")
    assert lines[: len(header)] == header
    assert any(re.fullmatch(row, line) for line in lines), lines[len(header) :][-20:]
    # Only the Journal's file ends without a newline.
    assert text.endswith("\n") is (path != "wsj_index/HSI.csv")


@pytest.mark.parametrize(
    ("path", "header", "real"),
    [(path, header, real) for path, header, _row, real in FORMATS if real],
    ids=[path for path, *_, real in FORMATS if real],
)
def test_header_is_the_vendors(path: str, header: list[str], real: str) -> None:
    folder = Path(os.environ.get("CLOSING_BELL_REAL", ROOT.parent / "shared" / "real"))
    if not (folder / real).is_file():
        pytest.skip(f"no real files: {folder / real} is absent (set CLOSING_BELL_REAL)")
    with (folder / real).open(encoding="utf-8", newline="") as file:
        assert [file.readline() for _ in header] == [f"{line}\n" for line in header]


def test_format_of_the_index_provider(landing: Path) -> None:
    lines = (landing / "csindex" / "931743.json").read_text(encoding="utf-8").splitlines()
    assert lines[0] == '{"code":"200","data":['
    assert lines[-1] == "]}"
    records = [json.loads(line.rstrip(",")) for line in lines[1:-1]]  # one a line
    assert records[0]["tradeDate"] == "20240902"
    keys = "tradeDate indexCode open high low close tradingVol tradingValue"
    assert {" ".join(record) for record in records} == {keys}


def test_format_of_the_trading_archive(landing: Path) -> None:
    folder = landing / "hkex_turnover"
    assert (folder / "main_2021_2025.json").read_bytes().startswith(b"\xef\xbb\xbf")
    assert not (folder / "gem_2021_2025.json").read_bytes().startswith(b"\xef\xbb\xbf")
    main, gem = board(landing, "main"), board(landing, "gem")
    assert list(main) == list(gem)
    assert set(main["2025/09/17"]) == {0, 2, 3, 4}
    assert main["2025/09/17"][2] == "360,300,000,000"
    halves = [day for day, row in main.items() if row.get(1) == "*"]
    assert halves == [day for day, row in gem.items() if 1 in row]
    assert halves == [
        *("2021/02/11", "2021/06/28", "2021/12/24", "2021/12/31", "2022/01/31", "2022/08/25"),
        *("2023/10/09", "2024/02/09", "2024/12/24", "2024/12/31", "2025/01/28"),
    ]


def test_format_of_the_constituents_list(landing: Path) -> None:
    path = landing / "hsi_composite_list" / "HSI_Composite_List.xlsx"
    sheet = openpyxl.load_workbook(io.BytesIO(path.read_bytes())).active
    assert sheet.title == "Table 1"
    header = (
        *("Date\n(dd-mm-yyyy)", "Index", "Stock Code", "Stock Name", "ISIN Code"),
        *("Exchange Lis-ted", "Industry", "Trading Currency", "Closing Price", "% Change (Daily)"),
    )
    table = list(sheet.iter_rows(values_only=True))
    assert [number for number, row in enumerate(table) if row == header] == [0, 11, 22, 33, 44]
    members = {row[2]: row for row in table if row != header}
    files = {path.name for path in (landing / "yahoo_hk").iterdir()}
    assert {f"{code:04d}.HK.csv" for code in members} == files
    assert members[9888][:2] == (datetime(2025, 9, 30), "Hang Seng Composite Index")
    assert members[9888][3:8] == (
        *("BIDU - SW", "KYG070341048", "Hong Kong Stock Exchange", "Consumer Dis-cretionary"),
        "HKD",
    )
    last = yahoo(landing, "9888")[-1]
    assert members[9888][8] == round(float(last["Close"]), 3)


def test_exchange_rates(landing: Path) -> None:
    lines = (landing / "ecb_exchange_rates" / "eurofxref-hist.csv").read_text().splitlines()
    assert all(line.endswith(",") for line in lines)
    read = rows(landing / "ecb_exchange_rates" / "eurofxref-hist.csv")
    by_day = {row["Date"]: row for row in read}
    assert list(by_day) == sorted(by_day, reverse=True)
    closed = {"2025-04-18", "2025-04-21", "2025-05-01", "2024-12-25", "2024-12-26", "2025-01-01"}
    assert not closed & set(by_day)
    assert {"2021-01-04", "2024-12-24", "2024-12-31", "2025-09-30"} <= set(by_day)
    assert {row["CYP"] for row in read} == {"N/A"}
    assert [by_day[day]["RUB"] == "N/A" for day in ("2022-03-01", "2022-03-02")] == [False, True]
    for row in read:
        assert 7.749 <= float(row["HKD"]) / float(row["USD"]) <= 7.851
        assert 6.2 < float(row["CNY"]) / float(row["USD"]) < 7.5
    headline = by_day[HEADLINE]
    assert round(float(headline["CNY"]) / float(headline["USD"]), 2) == 7.10


# -- Laws of the market --------------------------------------------------------------------------


def all_prices(landing: Path) -> dict[str, list[Row]]:
    """Every series, by name, with open, high, low, close (and pre_close where there is one)."""
    series = {
        "HSI": wsj(landing),
        "HSCEI": rows(landing / "yahoo_index" / "HSCEI.csv"),
        "931743": csindex(landing),
    }
    for feed in ("sina_index", "baostock_index", "baostock_a_share", "tushare_daily"):
        series |= {path.name: rows(path) for path in (landing / feed).iterdir()}
    series |= {
        path.name: yahoo(landing, path.name[:4]) for path in (landing / "yahoo_hk").iterdir()
    }
    chinese = {"开盘": "open", "最高": "high", "最低": "low", "收盘": "close"}
    for code, read in eastmoney(landing).items():
        series[code] = [{chinese.get(name, name): v for name, v in row.items()} for row in read]
    return {
        name: [{column.lower(): value for column, value in row.items()} for row in read]
        for name, read in series.items()
    }


def test_high_and_low_enclose_open_and_close(landing: Path) -> None:
    series = all_prices(landing)
    assert len(series) == 8 + 12 + 46 + 41 + 18
    for name, read in series.items():
        for row in read:
            opened, high, low, close = (float(row[key]) for key in ("open", "high", "low", "close"))
            assert 0 < low <= min(opened, close), (name, row)
            assert max(opened, close) <= high, (name, row)


def test_sessions_are_each_markets_own(landing: Path) -> None:
    hong_kong = list(closes(wsj(landing), "Date", "Close"))
    assert hong_kong[0] == "2021-01-04"
    assert hong_kong[-1] == "2025-09-30"
    closed = {"2023-07-17", "2023-09-01", "2023-09-08", "2024-09-06", "2025-07-01"}
    assert not closed & set(hong_kong)
    assert {"2025-01-28", "2025-09-23", "2025-05-02"} <= set(hong_kong)
    assert [day.replace("/", "-") for day in board(landing, "main")] == hong_kong
    assert [row["Date"] for row in yahoo(landing, "0700")] == hong_kong
    assert yahoo(landing, "9888")[0]["Date"] == "2021-03-23"  # listed then
    assert list(closes(rows(landing / "sina_index" / "hstech.csv"))) == hong_kong

    mainland = list(closes(rows(landing / "baostock_index" / "sh000001.csv")))
    assert "2025-07-01" in mainland
    assert "2025-01-28" not in mainland
    shares = eastmoney(landing)
    pause = {"2025-08-12", "2025-08-13", "2025-08-14"}
    assert pause < set(mainland)
    for code, read in shares.items():
        expected = [day for day in mainland if not (code == "600570" and day in pause)]
        assert [row["日期"] for row in read] == expected, code
    for code, read in baostock(landing).items():
        begins = "2024-11-29" if code == "688449" else "2024-01-02"  # a listing
        assert [row["date"] for row in read] == [day for day in mainland if day >= begins], code
    for feed in ("tushare_daily", "tushare_daily_basic"):
        files = sorted(path.stem for path in (landing / feed).iterdir())
        assert files == [day.replace("-", "") for day in mainland[-12:]]


def test_a_share_figures_follow_from_each_other(landing: Path) -> None:
    for code, read in eastmoney(landing).items():
        limit = 0.2 if code.startswith(("300", "688")) else 0.1
        before: float | None = None
        for row in read:
            high, low, close = (float(row[name]) for name in ("最高", "最低", "收盘"))
            average = float(row["成交额"]) / (float(row["成交量"]) * 100)
            # The vendor lowers all prices before an ex-date, and no turnover.
            dividend = 2.26 if code == "601088" and row["日期"] < "2025-07-18" else 0
            assert low <= average - dividend <= high, (code, row)
            reference = round(close - float(row["涨跌额"]), 2)
            ex_date = code == "601225" and row["日期"] == "2025-09-23"
            if before is not None:
                assert reference == round(before - (0.35 if ex_date else 0), 2), (code, row)
            assert float(row["涨跌幅"]) == pytest.approx((close / reference - 1) * 100, abs=0.006)
            assert float(row["振幅"]) == pytest.approx((high - low) / reference * 100, abs=0.006)
            before = close
            if dividend:
                continue  # the limit counts from the price as dealt
            # A limit is rounded to the cent.
            assert low >= round(reference * (1 - limit), 2) - 0.0051, (code, row)
            assert high <= round(reference * (1 + limit), 2) + 0.0051, (code, row)


def test_the_days_file_agrees_with_the_history(landing: Path) -> None:
    history = {
        (code, row["日期"].replace("-", "")): row
        for code, read in eastmoney(landing).items()
        for row in read
    }
    history |= {
        (code, row["date"].replace("-", "")): {
            **{"开盘": short(row["open"]), "最高": short(row["high"]), "最低": short(row["low"])},
            **{"收盘": short(row["close"]), "成交额": row["amount"]},
            "涨跌额": repr(round(float(row["close"]) - float(row["preclose"]), 2) + 0.0),
            "成交量": repr(float(row["volume"] or "0") / 100),
        }
        for code, read in baostock(landing).items()
        for row in read
    }
    names = {"open": "开盘", "high": "最高", "low": "最低", "close": "收盘", "change": "涨跌额"}
    references: dict[str, str] = {}
    for path in sorted((landing / "tushare_daily").iterdir()):
        read = rows(path)
        assert len(read) == 60
        assert {row["trade_date"] for row in read} == {path.stem}
        assert [row["ts_code"] for row in read] == sorted(row["ts_code"] for row in read)
        beijing = [row["ts_code"] for row in read if row["ts_code"].endswith(".BJ")]
        assert beijing == ["920116.BJ", "920128.BJ"]
        for row in read:
            if row["ts_code"].endswith(".BJ"):
                continue
            assert row["ts_code"].endswith(".SH" if row["ts_code"][0] == "6" else ".SZ")
            other = history.pop((row["ts_code"][:6], path.stem))
            assert {key: row[key] for key in names} == {key: other[at] for key, at in names.items()}
            assert float(row["vol"]) == pytest.approx(float(other["成交量"]), abs=0.51)
            assert float(row["amount"]) * 1000 == pytest.approx(float(other["成交额"]), abs=0.51)
            assert float(row["close"]) - float(row["pre_close"]) == pytest.approx(
                float(row["change"]), abs=0.001
            )
            if row["ts_code"] == "601225.SH":
                references[path.stem] = f"{row['pre_close']} {row['close']}"
    assert not [day for _code, day in history if day >= "20250915"]
    close = float(references["20250922"].split()[1])
    assert float(references["20250923"].split()[0]) == round(close - 0.35, 2)


def test_a_share_histories_from_baostock_follow_from_each_other(landing: Path) -> None:
    ex_dates = {("601088", "2025-07-18"): 2.26, ("601225", "2025-09-23"): 0.35}
    for code, read in baostock(landing).items():
        before: float | None = None
        for session, row in enumerate(read):
            high, low, close = (float(row[name]) for name in ("high", "low", "close"))
            reference = float(row["preclose"])
            if before is not None:
                dividend = ex_dates.get((code, row["date"]), 0)
                assert reference == round(before - dividend, 4), (code, row)
            before = close
            if row["tradestatus"] == "0":
                assert {row[name] for name in ("volume", "amount", "turn", "pctChg")} == {""}
                assert low == high == close == reference
                continue
            assert float(row["pctChg"]) == pytest.approx((close / reference - 1) * 100, abs=1e-6)
            assert low <= float(row["amount"]) / float(row["volume"]) <= high, (code, row)
            limit = 0.2 if code.startswith("688") else 0.05 if row["isST"] == "1" else 0.1
            if code == "688449" and session < 5:
                continue  # just listed
            assert low >= round(reference * (1 - limit), 2) - 0.0051, (code, row)
            assert high <= round(reference * (1 + limit), 2) + 0.0051, (code, row)


# -- Cases ---------------------------------------------------------------------------------------


def test_half_days_have_one_price_and_no_volume(landing: Path) -> None:
    for path in (landing / "yahoo_hk").iterdir():
        still = {row["Date"] for row in yahoo(landing, path.name[:4]) if row["Volume"] == "0"}
        assert "2024-12-24" in still
        assert "2023-10-09" not in still  # a typhoon, not the eve of a holiday
        if path.name[:4] == "0700":
            assert len(still) == 8


def test_a_price_in_another_unit_lasts_one_session(landing: Path) -> None:
    series = closes(yahoo(landing, "0322"), "Date", "Close")
    days = list(series)
    wrong = days.index("2024-06-12")
    before, spike, after = (series[day] for day in days[wrong - 1 : wrong + 2])
    assert spike / before == pytest.approx(100, rel=0.04)
    assert after / before == pytest.approx(1, rel=0.03)


def test_a_share_is_listed_suspended_and_under_special_treatment(landing: Path) -> None:
    shares = baostock(landing)
    first, *_ = shares["688449"]
    assert (first["date"], first["preclose"]) == ("2024-11-29", "11.2500")
    assert float(first["pctChg"]) > 100
    suspended = {
        (code, row["date"])
        for code, read in shares.items()
        for row in read
        if row["tradestatus"] == "0"
    }
    assert suspended == {("600536", f"2025-06-0{day}") for day in (3, 4, 5)}
    special = {
        (code, row["date"]) for code, read in shares.items() for row in read if row["isST"] == "1"
    }
    assert {code for code, _day in special} == {"600518"}
    assert max(day for _code, day in special) == "2024-07-03"
    row = next(row for row in shares["600518"] if row["date"] == "2024-05-15")
    assert (row["preclose"], row["close"], row["isST"]) == ("1.8000", "1.8900", "1")


def test_prices_as_dealt_stand_beside_prices_lowered_by_a_dividend(landing: Path) -> None:
    dealt = closes(baostock(landing)["601088"])
    lowered = closes(eastmoney(landing)["601088"], "日期", "收盘")
    gaps = {day: round(dealt[day] - lowered[day], 2) for day in dealt}
    assert {gap for day, gap in gaps.items() if day < "2025-07-18"} == {2.26}
    assert {gap for day, gap in gaps.items() if day >= "2025-07-18"} == {0}


def test_names_are_given_from_their_first_day_on(landing: Path) -> None:
    named = rows(landing / "tushare_name_change" / "names.csv")
    listed = {row["ts_code"] for row in rows(landing / "tushare_stock_list" / "stock_list.csv")}
    assert {row["ts_code"] for row in named} == {s for s in listed if not s.endswith(".BJ")}
    changed = [row["ts_code"] for row in named if row["end_date"]]
    assert changed == ["600518.SH", "601127.SH"]


# -- Figures -------------------------------------------------------------------------------------


def highest_since(series: dict[str, float]) -> str | None:
    """The latest session before the headline with a close at or above the headline's."""
    return max(
        (day for day, close in series.items() if day < HEADLINE and close >= series[HEADLINE]),
        default=None,
    )


def change_pct(series: dict[str, float]) -> float:
    return (series[HEADLINE] / series[BEFORE] - 1) * 100


PUBLISHED: list[tuple[str, Callable[[Path], dict[str, float]], float, float, str | None]] = [
    ("HSI", lambda p: closes(wsj(p), "Date", "Close"), 26438.51, 26908.39, "2021-07-23"),
    ("HSTECH", lambda p: closes(rows(p / "sina_index/hstech.csv")), 6077.66, 6334.24, "2021-11-25"),
    (
        "HSCEI",
        lambda p: closes(rows(p / "yahoo_index/HSCEI.csv"), "Date", "Close"),
        *(9386.39, 9596.77, "2021-07-23"),
    ),
    (
        "000001.SH",
        lambda p: closes(rows(p / "baostock_index/sh000001.csv")),
        *(3861.87, 3876.34, "2025-08-25"),
    ),
    (
        "399001.SZ",
        lambda p: closes(rows(p / "baostock_index/sz399001.csv")),
        *(13063.97, 13215.46, "2022-03-02"),
    ),
]


@pytest.mark.parametrize(
    ("symbol", "read", "before", "close", "since"), PUBLISHED, ids=[row[0] for row in PUBLISHED]
)
def test_published_index_closes(
    landing: Path,
    symbol: str,
    read: Callable[[Path], dict[str, float]],
    before: float,
    close: float,
    since: str | None,
) -> None:
    series = read(landing)
    # Yahoo's 32 bits hold an index to three thousandths; the others are exact.
    exact = 0.0005 if symbol == "HSCEI" else 0
    assert series[BEFORE] == pytest.approx(before, abs=exact)
    assert series[HEADLINE] == pytest.approx(close, abs=exact)
    assert round(series[HEADLINE], 2) == close
    assert highest_since(series) == since


def test_the_hang_seng_falls_from_2021_and_recovers(landing: Path) -> None:
    series = closes(wsj(landing), "Date", "Close")
    assert max(close for day, close in series.items() if day.startswith("2021-02")) > 30_000
    assert min(series, key=lambda day: series[day]) == "2022-10-31"
    assert min(series.values()) == pytest.approx(14_687, rel=0.001)


def test_semiconductor_equipment_index(landing: Path) -> None:
    series = closes(csindex(landing), "tradeDate")
    assert round((series["20250917"] / series["20250916"] - 1) * 100, 1) == 3.6


def test_mainland_turnover(landing: Path) -> None:
    amounts: dict[str, float] = defaultdict(float)
    for code in ("sh000001", "sz399001"):
        for row in rows(landing / "baostock_index" / f"{code}.csv"):
            amounts[row["date"]] += float(row["amount"])
    assert amounts[BEFORE] == pytest.approx(2.3414e12, abs=1)
    assert amounts[HEADLINE] == pytest.approx(2.3767e12, abs=1)
    assert min(amounts.values()) > 0.4e12
    assert max(amounts.values()) < 4e12


@pytest.mark.parametrize(
    ("symbol", "percent", "since"),
    [
        ("9888", 15.7, "2023-10-12"),
        ("9988", 5.3, "2021-11-17"),
        ("0981", 7.1, None),
        ("0857", 0.0, BEFORE),
    ],
)
def test_hong_kong_shares(landing: Path, symbol: str, percent: float, since: str | None) -> None:
    series = closes(yahoo(landing, symbol), "Date", "Close")
    assert round(change_pct(series), 1) == percent
    assert highest_since(series) == since


def test_technology_majors_and_consumer_shares(landing: Path) -> None:
    def mean_change(symbols: list[str]) -> float:
        return mean(change_pct(closes(yahoo(landing, s), "Date", "Close")) for s in symbols)

    assert round(mean_change(TECH_MAJORS), 1) == 4.2
    assert 0 < mean_change(["2020", "9992", "2319", "2331", "9633"]) < 1


def test_an_event_affects_consumer_shares_of_both_regions(landing: Path) -> None:
    events = rows(landing / "market_event" / "events.csv")
    affected = [row["basket"] for row in events if row["date"] == BEFORE]
    assert affected == ["hk_consumer", "mainland_consumer"]


def test_mainland_sectors_and_breadth(landing: Path) -> None:
    merged = {
        "汽车整车": "汽车",
        "汽车配件": "汽车",
        "农业综合": "农业",
        "种植业": "农业",
        "饲料": "农业",
        "化学制药": "医药",
        "中成药": "医药",
        "生物制药": "医药",
    }
    industry = industries(landing)
    sectors: dict[str, list[tuple[float, float]]] = defaultdict(list)
    changes = []
    at_limit = []
    for row in rows(landing / "tushare_daily" / "20250917.csv"):
        if row["ts_code"].endswith(".BJ"):
            continue
        code = row["ts_code"][:6]
        change, turnover = float(row["pct_chg"]), float(row["amount"])
        sectors[merged.get(industry[code], industry[code])].append((change, turnover))
        changes.append(change)
        if float(row["close"]) == round(float(row["pre_close"]) * 1.1, 2):
            at_limit.append(code)
    equal = {name: mean(change for change, _ in rows) for name, rows in sectors.items()}
    weighted = {
        name: sum(change * turnover for change, turnover in rows) / sum(t for _, t in rows)
        for name, rows in sectors.items()
    }
    assert len(sectors) == 13
    assert min(map(len, sectors.values())) >= 2
    assert sum(len(members) >= 5 for members in sectors.values()) == 10
    for by_weight in (equal, weighted):
        ranked = sorted(by_weight, key=lambda name: by_weight[name])
        assert ranked[:2] == ["农业", "白酒"]
        assert ranked[-2:] == ["汽车", "电气设备"]
    assert [sum(c > 0 for c in changes), sum(c < 0 for c in changes)] == [36, 21]
    assert at_limit == ["600089"]
