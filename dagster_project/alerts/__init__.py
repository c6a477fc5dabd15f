"""Alerts: what somebody must hear of without looking, and how they hear of it.

Belongs here: the problems of a run (`findings.py`), the message about them (`message.py`), the
channels of `alerts.yaml` (`channels.py`, `settings.py`), and what was sent already (`sending.py`).
Does not belong here: Dagster (`defs/automation.py`, which calls this), what a shell shows
(`cli.py`), checks (`audit/`).

Four kinds: `withheld` (there is no release), `late` (a feed was due for the warehouse's clock date
and gave nothing, or a part), `set_aside` (a file could not be used), `report` (released, but the
market report could not be written).
"""
