"""Releases: how an audited warehouse becomes what analysts open, and how to look back.

Belongs here: recording a release (`record.py`), publishing it and rolling back (`publish.py`),
finding and reading releases (`read.py`), comparing two (`compare.py`), the close of a day as it
was published (`close_of_day.py`). Does not belong here: what the checks are (`audit/`), when to
publish (`pipeline.py`), how a comparison is shown (`cli.py`).

A release is one file, never changed once it is there:

    published/closing_bell.duckdb    what analysts open: a symbolic link to the published one of …
    published/releases/<release_id>/closing_bell.duckdb
    published/releases/<release_id>/unfinished    … this one is still being made, or never was

Readers never wait. Publishing points the link to a new file, in one step; whoever has the old one
open keeps it until they close it. The link is what keeps readers apart from a publication: DuckDB
2.0 opens a database three times to connect to it, and takes the header from one and the tables
from another. It follows the link once, before all three; if a file were put in the place of
another, it could meet two releases, and show neither.

The order of steps in `publish` makes two things true at every instant, so that a crash costs
nothing: the link leads to one whole release, and every release that is not marked unfinished is
or was published. The releases themselves therefore say what was released; the warehouse's own
table is written anew from them each time.
"""
