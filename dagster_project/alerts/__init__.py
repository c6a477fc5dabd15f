"""Alerts: problems that somebody must learn of without looking, and how they are notified.

Belongs here: the problems of a run (`findings.py`), the message about them (`message.py`), the
channels of `alerts.yaml` (`channels.py`, `settings.py`), and the rule that each channel gets each
problem once (`sending.py`). Does not belong here: when alerts are sent (`defs/automation.py`),
what the commands print (`cli.py`), the checks themselves (`audit/`).
"""
