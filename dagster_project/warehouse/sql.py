"""Writing values and names into SQL text.

Belongs here: quoting, once for all modules. Does not belong here: queries.
"""


def literal(text: str) -> str:
    """A text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def identifier(name: str) -> str:
    """A name of a table or column as SQL takes any name."""
    return '"' + name.replace('"', '""') + '"'


def shown(cell: str) -> str:
    """SQL: the first 80 letters of a cell in quotes, as a message may repeat them.

    What moves a terminal's cursor or turns the direction of writing becomes a replacement mark.
    """
    return rf"chr(39) || regexp_replace(left(coalesce({cell}, ''), 80), '\pC', '�', 'g') || chr(39)"
