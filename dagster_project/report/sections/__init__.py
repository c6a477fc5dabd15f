"""The sections of the market report, one file per section.

Belongs here: files with one subclass of `Section` each; every file of this folder is found and
shown, and its `order` says where. Does not belong here: what sections share (`day.py`,
`wording.py`, `tables.py`, `drawing.py`).
"""
