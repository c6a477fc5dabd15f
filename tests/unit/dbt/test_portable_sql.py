"""The models keep to SQL that more than one engine understands.

Belongs here: words that only DuckDB knows, and what to write instead. Does not belong here: style
(sqlfluff), what the models compute (their unit tests).

Models and tests of the dbt project are read as text. What an engine says in its own way stands in a
macro of `dbt_project/macros/engine`, behind `adapter.dispatch`; macros are not looked at. Not found
by a search for words, and left to the second engine: types of results and rounding.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from dagster_project.home import PROJECT_ROOT

DBT_PROJECT = PROJECT_ROOT / "dbt_project"

# Folders that are not searched.
# The audit's views came from queries that DuckDB alone was meant to run; remove the line when they
# have been rewritten.
EXEMPT = (DBT_PROJECT / "models" / "audit",)

OWN_MACRO = "a macro in macros/engine that dispatches"

# What DuckDB says in its own way -> what to write instead.
DUCKDB_ONLY = {
    r"\barg_max\s*\(": "max_by(value, order)",
    r"\barg_min\s*\(": "min_by(value, order)",
    r"\*\s*exclude\b": "the columns by name",
    r"\*\s*replace\b": "the columns by name",
    r"\bcolumns\s*\(": "the columns by name, or a loop over their names",
    r"\bunnest\s*\(": "a join, or a macro in macros/engine that dispatches (explode on Spark)",
    r"\bby\s+name\b": "{{ typed_columns(types, given) }}, which fills in nulls",
    r"\basof\b": "a join on the latest date: max(date) by key, or row_number()",
    r"\bqualify\b": "row_number() in a CTE, and where on it in the next",
    r"(?<!left )\b(?:semi|anti)\s+join\b": "where exists (…), where not exists (…)",
    r"\bpositional\s+join\b": "a join on a key",
    r"\bgroup\s+by\s+all\b": "the columns by name",
    r"\border\s+by\s+all\b": "the columns by name",
    r"\b(?:list_has|list_contains|array_has|array_contains)\s*\(": "{{ list_has(list, value) }}",
    r"\b(?:len|array_length|cardinality)\s*\(": "{{ list_length(list) }}; of text, length()",
    r"\b(?:list|array)_(?!has\b|contains\b|length\b)\w+\s*\(": OWN_MACRO,
    r"\blist\s*\(": "a macro in macros/engine that dispatches (collect_list on Spark)",
    r"->": "a macro in macros/engine that dispatches (lambdas differ)",
    r"\bstruct_\w+\s*\(": "columns, or a macro in macros/engine that dispatches",
    r":=": "columns, or a macro in macros/engine that dispatches",
    r"\b(?:try_)?strptime\s*\(": "cast(… as date), or a macro in macros/engine that dispatches",
    r"\bstrftime\s*\(": "cast(… as string), or a macro in macros/engine that dispatches",
    r"\bdate_(?:diff|add|sub|trunc)\s*\(": "{{ dbt.datediff() }}, dbt.dateadd(), dbt.date_trunc()",
    r"\binterval\b": "{{ dbt.dateadd(part, number, date) }}",
    r"\b(?:today|epoch\w*|make_date)\s*\(": OWN_MACRO,
    r"\b(?:printf|format)\s*\(": "{{ number_text(number, decimals) }}",
    r"\b(?:string_agg|listagg|group_concat)\s*\(": "{{ dbt.listagg() }}",
    r"\b(?:generate_series|range|read_\w+|query_table)\s*\(": "a seed or a model",
    r"::": "cast(… as …)",
    r"\btry_cast\s*\(": "{{ dbt.safe_cast() }}",
    r"\bvarchar\b(?!\s*\()": "string",
    r"\b(?:hugeint|u(?:big|small|tiny)?int(?:eger)?|timestamptz|blob)\b": "a type of standard SQL",
    r"\bilike\b": "lower(…) like …",
    r"\b(?:using\s+sample|tablesample|pivot|unpivot|summarize)\b": "standard SQL",
}

# A query without select: at its very start or the start of a parenthesis.
SELECT_MISSING = re.compile(r"(?:\A|[(;])\s*from\b")
# `rows between x preceding`, where x is a column: Spark takes constants alone.
BOUND_PER_ROW = re.compile(r"\b(?!unbounded\b)[a-z_][\w.]*\s+(?:preceding|following)\b")


def searched() -> list[Path]:
    """The files of SQL that any engine is to understand."""
    files = [
        path
        for folder in ("models", "tests")
        for path in (DBT_PROJECT / folder).rglob("*.sql")
        if not any(path.is_relative_to(folder) for folder in EXEMPT)
    ]
    return sorted(files)


def blanked(sql: str) -> str:
    """The SQL without comments, calls of macros and text literals; lines keep their numbers."""
    aside = re.compile(
        r"\{#.*?#\}|\{\{.*?\}\}|\{%.*?%\}|/\*.*?\*/|--[^\n]*|'(?:[^']|'')*'", re.DOTALL
    )

    def blank(match: re.Match[str]) -> str:
        kept = "1" if match[0].startswith(("{{", "'")) else " "
        return kept + re.sub(r"[^\n]", " ", match[0][1:])

    return aside.sub(blank, sql).lower()


def complaints(sql: str) -> Iterator[tuple[int, str]]:
    """Line number and advice for each word that only DuckDB knows."""
    text = blanked(sql)
    rules = [(re.compile(pattern), advice) for pattern, advice in DUCKDB_ONLY.items()]
    rules.append((SELECT_MISSING, "select * from …"))
    rules.append((BOUND_PER_ROW, "a constant bound, or a join on a range"))
    for pattern, advice in rules:
        for found in pattern.finditer(text):
            line = text.count("\n", 0, found.end()) + 1
            yield line, f"only DuckDB knows `{found[0].strip()}`; write {advice}"


@pytest.mark.parametrize("path", searched(), ids=lambda path: path.stem)
def test_models_are_portable(path: Path) -> None:
    found = [
        f"{path.relative_to(PROJECT_ROOT)}:{line}: {advice}"
        for line, advice in sorted(complaints(path.read_text(encoding="utf-8")))
    ]
    assert found == [], "\n" + "\n".join(found)


@pytest.mark.parametrize(
    ("sql", "line", "advice"),
    [
        ("select\n    arg_max(close, trade_date)\nfrom a", 2, "max_by"),
        ("select * exclude (a) from b", 1, "by name"),
        ("with a as (\n    from b\n)\nselect * from a", 2, "select * from"),
        ("from b", 1, "select * from"),
        ("select a from b\nunion all by name\nselect c from d", 2, "typed_columns"),
        ("select cast(a as varchar) from b", 1, "write string"),
        ("select a::date from b", 1, "cast("),
        ("select list_contains(a, 1) from b", 1, "list_has"),
        ("select sum(a) over (order by b rows between c preceding and 0 following)", 1, "bound"),
        ("select a from b qualify row_number() over (order by a) = 1", 1, "row_number"),
        (
            "{{ config(materialized='table') }}\nselect a from b asof join c on a >= d",
            2,
            "max(date)",
        ),
    ],
)
def test_words_of_duckdb_are_found(sql: str, line: int, advice: str) -> None:
    found = list(complaints(sql))
    assert [number for number, _ in found] == [line]
    assert advice in found[0][1]


@pytest.mark.parametrize(
    "sql",
    [
        "-- from a, :: and unnest( are only words here\nselect 'qualify' as a from b",
        "select {{ list_has('a', 'b') }} as has_b from c",
        "select sum(a) over (order by b rows between 19 preceding and current row) from c",
        "select sum(a) over (order by b rows between unbounded preceding and 1 preceding) from c",
        "select extract(year from trade_date) as calendar_year from c",
        "with a as (\n\n    {{ from_best_feed(ref('b'), ['c']) }}\n\n)\nselect c from a",
    ],
)
def test_portable_sql_is_left_alone(sql: str) -> None:
    assert list(complaints(sql)) == []
