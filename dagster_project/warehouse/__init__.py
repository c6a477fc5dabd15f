"""The writer's DuckDB file: connection, raw tables, state, dbt, as-of macros."""
