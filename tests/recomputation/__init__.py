"""Published figures, recomputed from the vendors' files in plain pandas and numpy.

Belongs here: how a file of each vendor is read, and every rule that a figure of a security or a
group follows, stated a second time. Nothing of the project takes part: no model, no macro, no feed
spec, no rule of `dagster_project.market`. Two things are read from the published file, because the
vendors' files do not have them: the calendar, and which lines were rejected. The seeds are read as
files. Does not belong here: statements about the figures (`tests/integration`, `tests/proof`).
"""
