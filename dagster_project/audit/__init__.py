"""The audit: checks of what files say, between transform and publish; dbt tests hold the models.

A check is a view of the rows that it objects to, in `dbt_project/models/audit/`, and an entry in
`checks.yaml` beside it. `policy.py` reads what each check is about, its thresholds, and whether it
blocks or warns, by feed or record kind; `waivers.py` the anomalies that are real; `run.py` reads
the views; `results.py` is what they found.

Belongs here: those four. Does not belong here: Dagster (`defs/audit.py`), queries, what one line or
one file shows by itself (`ingest/` rejects it), identities of the models (`dbt_project/tests/`).
"""
