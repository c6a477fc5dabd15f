"""Closing Bell: an end-of-day market warehouse.

Each folder is a room of its own; docs/architecture.md says what is in each. Only `defs/`, `cli.py`
and `definitions.py` import Dagster.
"""
