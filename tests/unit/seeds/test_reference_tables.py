"""The reference tables in `seeds/`: whole, free of contradiction, and enough for the real lists.

What one column or reference alone must hold is tested by dbt (`seeds/*.yml`); here stands what
spans rows and files. Tests on the vendors' real lists are skipped where those are absent.
"""

import csv
import os
import re
from collections import defaultdict
from collections.abc import Iterable
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import yaml

ROOT = Path(__file__).parents[3]
SEEDS = ROOT / "seeds"
REAL = Path(os.environ.get("CLOSING_BELL_REAL", ROOT.parent / "shared" / "real"))

PROPERTIES = [
    seed
    for path in sorted(SEEDS.glob("*.yml"))
    for seed in yaml.safe_load(path.read_text(encoding="utf-8"))["seeds"]
]
NAMES = [seed["name"] for seed in PROPERTIES]
DATED = {
    "industry_sector": ("scheme", "industry"),
    "security_sector": ("symbol",),
    "basket_member": ("basket", "symbol"),
}
# HKEX code padded to four digits; six digits that tell the mainland exchange by the first.
SYMBOL = re.compile(r"(?!0000)\d{4}\.HK|[1-9]\d{4}\.HK|6\d{5}\.SH|[03]\d{5}\.SZ")

Row = dict[str, str]


def rows(name: str) -> list[Row]:
    with (SEEDS / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, strict=True))


def span(row: Row) -> tuple[date, date]:
    return (
        date.fromisoformat(row["valid_from"]),
        date.fromisoformat(row["valid_to"]) if row["valid_to"] else date.max,
    )


def overlaps(dated: Iterable[Row], key: tuple[str, ...]) -> list[tuple[str, ...]]:
    """Keys of which two rows are valid on one day."""
    spans: dict[tuple[str, ...], list[tuple[date, date]]] = defaultdict(list)
    for row in dated:
        spans[tuple(row[column] for column in key)].append(span(row))
    found = []
    for value, of_key in spans.items():
        of_key.sort()
        if any(later[0] <= earlier[1] for earlier, later in pairwise(of_key)):
            found.append(value)
    return found


def valid_on(dated: Iterable[Row], day: date) -> list[Row]:
    return [row for row in dated if span(row)[0] <= day <= span(row)[1]]


def days_of_change() -> list[date]:
    """Days from 1990 on at which some mapping may differ from the day before."""
    days = {date(1990, 1, 1), date(2025, 9, 17)}
    for name in DATED:
        for row in rows(name):
            first, last = span(row)
            days.add(first)
            if last < date.max:
                days.add(last + timedelta(days=1))
    return sorted(day for day in days if day >= date(1990, 1, 1))


def region(symbol: str) -> str:
    return "hong_kong" if symbol.endswith(".HK") else "mainland"


# What must hold of any seeds.


def test_every_csv_is_described() -> None:
    assert sorted(NAMES) == sorted(path.stem for path in SEEDS.glob("*.csv"))


@pytest.mark.parametrize("seed", PROPERTIES, ids=NAMES)
def test_header_types_and_descriptions_agree(seed: dict[str, Any]) -> None:
    with (SEEDS / f"{seed['name']}.csv").open(encoding="utf-8", newline="") as file:
        header = next(csv.reader(file))
    assert [column["name"] for column in seed["columns"]] == header
    assert list(seed["config"]["column_types"]) == header
    assert seed["description"].strip()
    assert all(column["description"].strip() for column in seed["columns"])


@pytest.mark.parametrize("name", NAMES)
def test_only_what_may_be_open_is_empty(name: str) -> None:
    may_be_empty = {"valid_to", "region", "index_of_group", "published_value", "unit"}
    may_be_empty |= {"half_day_closes_at"}
    for number, row in enumerate(rows(name), 2):
        empty = {column for column, value in row.items() if not value}
        assert empty <= may_be_empty, f"seeds/{name}.csv:{number}: {sorted(empty)}"


@pytest.mark.parametrize("name", NAMES)
def test_values_are_trimmed_and_every_line_is_as_long_as_the_header(name: str) -> None:
    for number, row in enumerate(rows(name), 2):
        assert None not in row, f"{name}.csv:{number}"
        assert None not in row.values(), f"{name}.csv:{number}"
        assert all(value == value.strip() for value in row.values()), f"{name}.csv:{number}"


@pytest.mark.parametrize("name", DATED)
def test_nothing_is_valid_backwards_or_twice_on_one_day(name: str) -> None:
    for number, row in enumerate(rows(name), 2):
        first, last = span(row)
        assert first <= last, f"{name}.csv:{number}"
    assert overlaps(rows(name), DATED[name]) == []


@pytest.mark.parametrize(
    ("second_from", "found"),
    [("2020-01-01", [("a",)]), ("2020-01-02", []), ("2019-06-01", [("a",)])],
)
def test_overlaps_count_the_last_day_itself(second_from: str, found: list[Any]) -> None:
    first = {"symbol": "a", "valid_from": "2019-01-01", "valid_to": "2020-01-01"}
    second = {"symbol": "a", "valid_from": second_from, "valid_to": ""}
    other = {"symbol": "b", "valid_from": "2019-01-01", "valid_to": ""}
    assert overlaps([second, other, first], ("symbol",)) == found


@pytest.mark.parametrize("name", ["security_sector", "basket_member", "security_name_en"])
def test_symbols_are_well_formed(name: str) -> None:
    assert [row["symbol"] for row in rows(name) if not SYMBOL.fullmatch(row["symbol"])] == []


def test_mapped_sectors_exist_and_every_sector_is_used() -> None:
    used = {row["sector"] for name in ("industry_sector", "security_sector") for row in rows(name)}
    assert used == {row["sector"] for row in rows("sector")}


def test_keys_are_snake_case() -> None:
    keys = [row["sector"] for row in rows("sector")] + [row["basket"] for row in rows("basket")]
    assert [key for key in keys if not re.fullmatch(r"[a-z]+(_[a-z]+)*", key)] == []


def test_members_are_of_their_baskets_region_and_no_basket_is_empty() -> None:
    regions = {row["basket"]: row["region"] for row in rows("basket")}
    members = rows("basket_member")
    assert {row["basket"] for row in members} == set(regions)
    assert [row for row in members if region(row["symbol"]) != regions[row["basket"]]] == []


def test_an_index_is_of_its_markets_region_and_currency() -> None:
    markets = {row["market"]: (row["region"], row["currency"]) for row in rows("market")}
    for row in rows("index_definition"):
        assert (row["region"], row["currency"]) == markets[row["market"]], row["symbol"]


# What must hold of the real lists.


def real(relative: str) -> Path:
    path = REAL / relative
    if not path.exists():
        pytest.skip(f"no real vendor file {path}; set CLOSING_BELL_REAL to their folder")
    return path


def tushare_industries() -> dict[str, str]:
    """Symbol -> industry as delivered."""
    path = real("sectors/a_share_stocklist_tushare_industry.csv")
    with path.open(encoding="utf-8-sig", newline="") as file:
        return {row["ts_code"]: row["industry"] for row in csv.DictReader(file)}


def hsi_industries() -> dict[str, str]:
    """Symbol -> industry, line breaks hyphenated in the PDF joined."""
    path = real("sectors/HSI_Composite_List_2025-11-21.xlsx")
    industries = {}
    for sheet in openpyxl.load_workbook(path, read_only=True):
        for row in sheet.iter_rows(values_only=True):
            if isinstance(row[2], int):  # not one of the repeated headers
                industries[f"{row[2]:04d}.HK"] = re.sub(r"-\s*(?=[a-z])", "", str(row[6]))
    return industries


LISTS = {"tushare_stock_list": tushare_industries, "hsi_composite_list": hsi_industries}


@pytest.mark.parametrize("scheme", LISTS)
def test_every_real_industry_is_mapped_exactly_once_at_any_date(scheme: str) -> None:
    delivered = sorted(set(LISTS[scheme]().values()))
    mapping = [row for row in rows("industry_sector") if row["scheme"] == scheme]
    for day in days_of_change():
        assert sorted(row["industry"] for row in valid_on(mapping, day)) == delivered, day


@pytest.mark.parametrize("scheme", LISTS)
def test_a_security_stands_alone_only_where_its_industry_says_otherwise(scheme: str) -> None:
    delivered = LISTS[scheme]()
    for day in days_of_change():
        sector_of = {
            row["industry"]: row["sector"]
            for row in valid_on(rows("industry_sector"), day)
            if row["scheme"] == scheme
        }
        idle = [
            row["symbol"]
            for row in valid_on(rows("security_sector"), day)
            if sector_of.get(delivered.get(row["symbol"], "")) == row["sector"]
        ]
        assert idle == [], day


def sectors_of_real_securities(day: date) -> dict[str, str]:
    sectors: dict[str, str] = {}
    for scheme, industries in LISTS.items():
        sector_of = {
            row["industry"]: row["sector"]
            for row in valid_on(rows("industry_sector"), day)
            if row["scheme"] == scheme
        }
        sectors |= {symbol: sector_of[industry] for symbol, industry in industries().items()}
    return sectors | {
        row["symbol"]: row["sector"] for row in valid_on(rows("security_sector"), day)
    }


def priced_symbols() -> set[str]:
    """Symbols of the real files of single securities."""
    hong_kong = {path.stem for path in real("hk_yahoo").glob("*.csv")}
    mainland = {
        f"{path.stem}.{'SH' if path.stem.startswith('6') else 'SZ'}"
        for path in real("a_share_eastmoney").glob("*.csv")
    }
    return hong_kong | mainland


def test_every_security_with_a_real_file_has_a_sector() -> None:
    assert priced_symbols() - set(sectors_of_real_securities(date(2025, 9, 30))) == set()


def test_every_basket_member_is_a_listed_security() -> None:
    listed = tushare_industries() | hsi_industries()
    assert {row["symbol"] for row in rows("basket_member")} - set(listed) == set()


@pytest.mark.parametrize(
    ("symbol", "sector"),
    [
        ("9988.HK", "internet"),
        ("0700.HK", "internet"),
        ("0981.HK", "semiconductors"),
        ("688981.SH", "semiconductors"),
        ("1211.HK", "automobiles"),
        ("002594.SZ", "automobiles"),
        ("3750.HK", "power_equipment"),
        ("300750.SZ", "power_equipment"),
        ("600900.SH", "utilities"),
        ("600930.SH", "utilities"),  # generates new energy, makes no equipment
        ("0005.HK", "banks"),
        ("601398.SH", "banks"),
        ("600519.SH", "liquor"),
        ("002714.SZ", "agriculture"),
        ("1088.HK", "coal"),
        ("2318.HK", "insurance"),
        ("601318.SH", "insurance"),
        ("2020.HK", "textiles_apparel"),
    ],
)
def test_well_known_securities_are_where_an_analyst_looks(symbol: str, sector: str) -> None:
    assert sectors_of_real_securities(date(2025, 9, 17))[symbol] == sector


@pytest.mark.parametrize(
    ("hong_kong", "mainland"),
    [
        ("0763.HK", "000063.SZ"),
        ("1288.HK", "601288.SH"),
        ("1880.HK", "601888.SH"),
        ("2050.HK", "002050.SZ"),
        ("2338.HK", "000338.SZ"),
        ("2359.HK", "603259.SH"),
        ("2727.HK", "601727.SH"),
        ("2899.HK", "601899.SH"),
        ("3606.HK", "600660.SH"),
        ("6030.HK", "600030.SH"),
        ("6690.HK", "600690.SH"),
        ("6865.HK", "601865.SH"),
    ],
)
def test_a_company_listed_twice_has_one_sector(hong_kong: str, mainland: str) -> None:
    sectors = sectors_of_real_securities(date(2025, 9, 17))
    assert sectors[hong_kong] == sectors[mainland]
