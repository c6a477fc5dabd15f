"""Which records the rows of a feed's files become.

Belongs here: making records of a kind from the rows in the temp table `parsed`. Does not belong
here: reading rows (`reader.py`), what the records change in raw (`warehouse/raw_tables.py`).
"""

from dagster_project.ingest.feed_spec import FeedSpec
from dagster_project.ingest.spec_sql import by_symbol
from dagster_project.market.record_kinds import RecordKind
from dagster_project.market.symbols import COUNTER_CURRENCIES


def reported_records(spec: FeedSpec, kind: RecordKind) -> str:
    """SQL: the records of one kind that the good rows of `parsed` report."""
    good = "from parsed where reason_code is null and not is_duplicate"
    if kind.name == "exchange_rate":
        return " union all ".join(
            f"""select '{spec.base_currency}' as base_currency, '{currency}' as currency,
                trade_date, rate_{currency} as rate, file_id, line_number
            {good} and rate_{currency} is not null"""
            for currency in spec.rates
        )
    values = {name: name for name in kind.columns if name in spec.columns}
    if "symbol" in kind.columns:
        values["symbol"] = "symbol"
    if "currency" in kind.columns and "currency" not in spec.columns:
        values["currency"] = by_symbol(spec.currency)
        if kind.sessions == "security":
            values["currency"] = _counter_currency(values["currency"])
    if kind.name == "market_turnover":
        values |= {"market": by_symbol(spec.market), "segment": "segment"}
        good += f" and turnover is not null and {values['market']} is not null"
    columns = ", ".join(
        f"{values.get(name, 'null')}::{type_} as {name}" for name, type_ in kind.columns.items()
    )
    return f"select {columns}, file_id, line_number {good}"


def _counter_currency(otherwise: str) -> str:
    """SQL: the currency of a security's own counter, which one currency per feed cannot say."""
    cases = " ".join(
        f"when symbol like '{pattern}' then '{currency}'"
        for pattern, currency in COUNTER_CURRENCIES.items()
    )
    return f"case {cases} else {otherwise} end"
