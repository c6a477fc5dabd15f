"""The feeds of vendors of which no real files are at hand, each tried on a file of its shape.

Belongs here: that the spec reads what the vendor's description says. Does not belong here: shapes
by themselves (`test_vendor_shapes.py`), feeds with real files (`tests/integration/`).
"""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from tests.unit.ingest.support import SPECS, read

EASTMONEY = "日期,{}开盘,收盘,最高,最低,成交量,成交额,振幅,涨跌幅,涨跌额,换手率\n"
NIGHT = {"trade_date": date(2025, 9, 17)}
SPOT = (
    "序号,代码,名称,最新价,涨跌幅,涨跌额,成交量,成交额,振幅,最高,最低,今开,昨收,量比,换手率,"
    "市盈率-动态,市净率,总市值,流通市值,涨速,5分钟涨跌,60日涨跌幅,年初至今涨跌幅\n"
)

FILES: dict[str, list[tuple[str, str, dict[str, Any]]]] = {
    "tushare_hk_daily": [
        (
            "20250917.csv",
            "ts_code,trade_date,open,high,low,close,pre_close,change,pct_chg,vol,amount\n"
            "00700.HK,20250917,650.0,662.5,648.0,661.5,645.0,16.5,2.56,20250917.0,1.331e10\n"
            "00001.HK,20250917,66.9,67.5,66.4,66.9,64.67,2.23,3.45,8212577.0,549421401.3\n",
            {
                **NIGHT, "symbol": "0001.HK", "close": 66.9, "previous_close": 64.67,
                "volume": 8212577, "turnover": 549421401.3,
            },
        ),
    ],
    "eastmoney_a_share_traded": [
        (
            "600519.csv",
            EASTMONEY.format("股票代码,")
            + "2025-09-17,600519,1500,1497.5,1510,1490.01,28123,4218450000.0,1.3,-0.2,-3.0,0.22\n",
            {
                **NIGHT, "symbol": "600519.SH", "open": 1500, "close": 1497.5, "high": 1510,
                "low": 1490.01, "volume": 2812300, "turnover": 4218450000,
                "turnover_rate_pct": 0.22,
            },
        ),
    ],
    "eastmoney_hk_share": [
        (
            "00700.csv",
            EASTMONEY.format("")
            + "2025-09-17,650,661.5,662.5,648,20250917,13285465000.0,2.2,2.56,16.5,0.22\n",
            {**NIGHT, "symbol": "0700.HK", "close": 661.5, "volume": 20250917},
        ),
    ],
    "eastmoney_index": [
        (
            "000001.csv",
            EASTMONEY.format("")
            + "2025-09-17,3861.88,3876.34,3882.66,3847.74,586900000,998900000000.0,"
            "0.9,0.37,14.48,1.2\n",
            {
                **NIGHT, "symbol": "000001.SH", "close": 3876.34, "change": 14.48,
                "volume": 58_690_000_000, "turnover": 998_900_000_000,
            },
        ),
    ],
    "eastmoney_a_share_spot": [
        (
            "20250917.csv",
            SPOT
            + "1,600436,片仔癀,203.1,-0.37,-0.75,49432,1003880000.0,1.56,205.0,201.5,203.9,203.85,"
            "0.9,0.82,40.1,8.2,122535000000,122535000000,0,0.01,1.2,-3.4\n",
            {
                **NIGHT, "symbol": "600436.SH", "name": "片仔癀", "close": 203.1,
                "previous_close": 203.85, "volume": 4_943_200, "float_cap": 122_535_000_000,
            },
        ),
    ],
    "tdx_export": [
        (
            "SH600436.txt",
            "600436 片仔癀 日线 不复权\r\n"
            "      日期\t    开盘\t    最高\t    最低\t    收盘\t    成交量\t    成交额\r\n"
            "2025/09/17\t203.90\t205.00\t201.50\t203.10\t4943200\t1003880000.00\r\n"
            "数据来源:通达信\r\n",
            {**NIGHT, "symbol": "600436.SH", "high": 205, "close": 203.1, "volume": 4943200},
        ),
        (
            "SZ#000333.txt",
            "000333 美的集团 日线 不复权\r\n"
            "      日期\t    开盘\t    最高\t    最低\t    收盘\t    成交量\t    成交额\r\n"
            "2025/09/17\t73.90\t75.00\t73.50\t74.10\t4943200\t366280000.00\r\n"
            "#数据来源:通达信\r\n",
            {**NIGHT, "symbol": "000333.SZ", "high": 75, "close": 74.1, "volume": 4943200},
        ),
    ],
    "investing_index": [
        (
            "HSI.csv",
            '\ufeff"Date","Price","Open","High","Low","Vol.","Change %"\n'
            '"09/17/2025","26,908.39","26,587.42","26,924.93","26,490.02","4.57B","1.78%"\n',
            {**NIGHT, "symbol": "HSI", "close": 26908.39, "open": 26587.42, "change_pct": 1.78},
        ),
        (
            "000001.SH.csv",
            '\ufeff"日期","收盘","开盘","高","低","交易量","涨跌幅"\n'
            '"2025-9-17","3,876.34","3,861.88","3,882.66","3,847.74","58.69B","0.37%"\n',
            {**NIGHT, "symbol": "000001.SH", "close": 3876.34, "low": 3847.74},
        ),
    ],
    "stooq_hk": [
        (
            "700.hk.txt",
            "<TICKER>,<PER>,<DATE>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>,<OPENINT>\r\n"
            "700.HK,D,20250917,000000,650,662.5,648,661.5,20250917.48,0\r\n",
            {**NIGHT, "symbol": "0700.HK", "open": 650, "close": 661.5},
        ),
    ],
}  # fmt: skip


# Their layout is that of the bundled sample, or tested where their format is: those of publishers
# in `test_publisher_feeds.py`.
ELSEWHERE = {
    "hkex_quoted_index", "hkex_day_turnover", "hkex_short_selling", "hsi_daily_bulletin",
    "sse_closing_snapshot", "szse_closing_snapshot", "ecb_exchange_rates", "hkex_turnover",
    "tushare_adj_factor", "tushare_daily_basic", "tushare_name_change",
}  # fmt: skip


def test_every_feed_that_was_never_tried_on_a_real_file_has_one_here() -> None:
    unverified = {name for name, spec in SPECS.items() if spec.unverified}
    assert unverified == set(FILES) | ELSEWHERE


@pytest.mark.parametrize(
    ("feed", "name", "content", "expected"),
    [(feed, *file) for feed, files in FILES.items() for file in files],
)
def test_a_file_as_the_vendor_describes_it(
    feed: str, name: str, content: str, expected: dict[str, Any]
) -> None:
    data = content.encode(SPECS[feed].format.encoding.removesuffix("-sig"))
    reading = read(feed, name, data)
    assert reading.report.reason is None, reading.report.reason
    assert reading.report.remark is None
    assert [reason for _, reason in reading.rejected.values() if "1.331e10" not in reason] == []
    row = reading.good[-1]
    found = {key: float(v) if isinstance(v, Decimal) else v for key, v in row.items()}
    assert {key: found[key] for key in expected} == expected
