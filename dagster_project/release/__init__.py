"""Releases: an audited warehouse becomes the file that analysts open; earlier ones are kept.

Belongs here: recording a release (`record.py`), publishing it and rolling back (`publish.py`),
finding and reading releases (`read.py`), comparing two (`compare.py`), the close of a day as
published (`close_of_day.py`). Does not belong here: what the checks are (`audit/`), when to
publish (`pipeline.py`), how a comparison is shown (`cli.py`).

A release is one file, which is never changed after it was published:

    published/closing_bell.duckdb                         a symbolic link to the published release
    published/releases/<release_id>/closing_bell.duckdb   a release
    published/releases/<release_id>/unfinished            marks a release that is not published yet

Readers never wait. Publishing points the link to a new file in one step, and whoever has the old
file open can go on reading it. A link is used because replacing the file itself gave readers
errors: to connect to a database, DuckDB 2.0 opens its path three times, and if the file is replaced
in between, it reads the header of one release and the tables of another. It resolves a link once,
before it opens the file.

The order of the steps in `publish` keeps two statements true at every moment, even after a crash:
the link leads to a complete release, and every release without the mark `unfinished` is or was
published. So the release files are the record of what was published, and the table in the
warehouse is written again from them each time.
"""
