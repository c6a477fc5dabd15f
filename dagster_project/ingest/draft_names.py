"""What vendors call the columns of a file, in English and Chinese.

Belongs here: these words, and the units that a name states in brackets. Does not belong here: the
units that the numbers show (`draft.py`).
"""

import re
from collections.abc import Sequence

# What vendors call a column, in small letters and without spaces, dots and what is in brackets.
CALLED = {
    "trade_date": "date timestamp tradedate trade_date day time tradingday 日期 交易日期 时间 "
    "時間 <date>",
    "open": "open openprice openingprice 开盘 开盘价 今开 今日开盘价 開盤 開盤價 開市 "
    "開市價 <open>",
    "high": "high highprice max 最高 最高价 高 最高價 <high>",
    "low": "low lowprice min 最低 最低价 低 最低價 <low>",
    "close": "close closeprice closingprice last lastprice price close/last 收盘 收盘价 今收 "
    "最新价 现价 收盤 收盤價 收市 收市價 <close>",
    "previous_close": "pre_close preclose prevclose previousclose lclose 昨收 前收 前收盘 前收盘价 "
    "昨收价 昨日收盘价 前收市價 昨收價 前收盤價",
    "change": "change chg 涨跌 涨跌额 漲跌 漲跌額 升跌",
    "change_pct": "pct_chg pctchg change% chg% changepct changepercent pct_change 涨跌幅 涨幅 "
    "漲跌幅 升跌幅",
    "volume": "vol volume tradingvol 成交量 总手 成交股数 成交股數 <vol>",
    "turnover": "amount turnover value amt tradingvalue 成交额 成交金额 总金额 金额 成交額 "
    "成交金額",
    "turnover_rate_pct": "turn turnover_rate turnoverrate 换手率 換手率",
    "name": "name shortname securityname 名称 股票名称 证券名称 证券简称 简称 股票简称 名稱 "
    "股票名稱 證券名稱",
    "total_cap": "total_mv totalmv marketcap 总市值 總市值",
    "float_cap": "circ_mv float_mv 流通市值",
}
SYMBOL_CALLED = (
    "code ts_code symbol ticker 代码 证券代码 股票代码 stockcode <ticker> 指数代码 indexcode "
    "代號 股票代號 證券代號 代碼 股票代碼 secid"
)
# What stands in brackets behind a column's name -> exponent; the first that fits counts.
_SIZES = (
    (r"百万|百萬|mn\b|million|mil\b", 6), (r"亿|億", 8), (r"千|'?000|thousand|\bk\b", 3),
    (r"万|萬", 4), (r"手|lots?", 2), (r"股|shares?|元|港|人民币|人民幣|cny|hkd|rmb|yuan|[$¥]", 0),
)  # fmt: skip


def plain(name: str) -> str:
    """A column's name as `CALLED` has it: small letters, without spaces, dots and brackets."""
    return re.sub(r"[(（\[].*?[)）\]]|[\s.]", "", name.lower())


def size_in(header: str | None) -> int | None:
    """The exponent of a unit that a column's name states in brackets; None if it states none."""
    found = re.search(r"[(（\[](.*?)[)）\]]", (header or "").lower())
    if not found:
        return None
    return next((size for words, size in _SIZES if re.search(words, found[1])), None)


def columns_of(header: Sequence[str]) -> dict[str, str]:
    """Canonical name -> header text of the first column that is called so."""
    return {name: found[0] for name in CALLED if (found := called(header, name))}


def called(header: Sequence[str], name: str) -> list[str]:
    """The columns that vendors call so."""
    return [column for column in header if plain(column) in CALLED[name].split()]


def is_known(name: str) -> bool:
    """Whether some vendor calls a column so."""
    return plain(name) in _KNOWN


_KNOWN = {word for words in [*CALLED.values(), SYMBOL_CALLED] for word in words.split()}
