"""Writes record kinds and counter currencies for dbt, into `dbt_project/macros/record_kinds.sql`.

Belongs here: the text of that file, which a test compares with `market/`. Does not belong here: the
kinds and currencies themselves. dbt cannot read Python. With the kinds in a file of its own, the
dbt project also works without Python: for `dbt build` by hand and for linters.

    python -m dagster_project.warehouse.dbt_record_kinds
"""

import json

from dagster_project.market.record_kinds import RECORD_KINDS
from dagster_project.market.symbols import COUNTER_CURRENCIES
from dagster_project.warehouse.dbt_run import DBT_PROJECT

MACRO = DBT_PROJECT / "macros" / "record_kinds.sql"

_HEAD = """\
{#
Written by `make record-kinds` from dagster_project/market/: change it there.

The record kinds by name. `key` has the columns that identify a record within a feed, `values` the
others; `about` has the columns of the key that say what it is about. `series`, `part` and `figure`
are SQL for the same of records of any kind; `sessions` says on whose sessions the records must be,
`is_looked_back_on` whether records of days that are not covered count too.
#}
{% macro record_kinds() -%}
    {{ return("""

_CURRENCIES = """

{# Counters in another currency than that of their market: pattern of the symbol -> currency. #}
{% macro counter_currencies() -%}
    {{ return("""


def macro_text() -> str:
    """The text of the macros `record_kinds()` and `counter_currencies()`."""
    kinds = {
        kind.name: {
            "about": list(kind.subject),
            "key": list(kind.key),
            "values": list(kind.values),
            "series": kind.series,
            "part": kind.part,
            "figure": kind.figure,
            "sessions": kind.sessions,
            "is_looked_back_on": kind.is_looked_back_on,
        }
        for kind in RECORD_KINDS.values()
    }
    return (
        f"{_HEAD}{_listed(kinds)}) }}}}\n{{%- endmacro %}}\n"
        f"{_CURRENCIES}{_listed(COUNTER_CURRENCIES)}) }}}}\n{{%- endmacro %}}\n"
    )


def _listed(value: object) -> str:
    """A value as Jinja writes it, indented as in the body of a macro."""
    return json.dumps(value, indent=4).replace("null", "none").replace("\n", "\n    ")


if __name__ == "__main__":
    MACRO.write_text(macro_text(), encoding="utf-8")
    print(MACRO)
