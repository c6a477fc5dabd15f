"""Processes that fork from one in which the libraries are imported, and nothing else was done.

A fork of a process that has used DuckDB's threads may hang. Each test process has one such server,
which imports what is named here; what a fork runs, it imports itself where it is not.
"""

import multiprocessing

FORKED = multiprocessing.get_context("forkserver")
FORKED.set_forkserver_preload(
    [
        "dagster",
        "dagster_dbt",
        "dbt.adapters.duckdb.impl",
        "dbt.cli.main",
        "duckdb",
        "exchange_calendars",
        "jinja2",
        "pandas",
        "pyarrow",
        "pytest",
    ]
)
