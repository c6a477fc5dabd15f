"""The market report of a trade date, written from the published file alone and checked afterwards.

The way of the data: `sections/` (rows, sentences, tables and charts of one subject per file) ->
`composition` (one report of them) -> `render` (Markdown and HTML) -> `files` (on disk); `check`
reads the finished files. `figures` and `origins` say what a figure is and where it comes from.
A new section is one new file in `sections/`.

Belongs here: nothing; import `write_report` and `check_report` from `report.files`.
"""
