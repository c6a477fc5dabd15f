"""The audit: checks of what files say, between ingest and release; dbt tests hold the models.

A check is a query of the rows that it objects to and its policy. `policy.py` reads what each check
is about, its thresholds, and whether it blocks or warns, by feed or record kind; `waivers.py` the
anomalies that are real; `run.py` runs the checks; `results.py` is what they found.

Belongs here: those four. Does not belong here: Dagster (`defs/audit.py`), what one line or one
file shows by itself (`ingest/` rejects it), identities of the models (`dbt_project/tests/`).
"""
