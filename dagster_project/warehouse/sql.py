"""Writing values and names into SQL text.

Belongs here: quoting, for all modules. Does not belong here: queries.
"""


def literal(text: str) -> str:
    """Text as an SQL string literal."""
    return "'" + text.replace("'", "''") + "'"


def identifier(name: str) -> str:
    """A name of a table or column in quotes, so that any name works."""
    return '"' + name.replace('"', '""') + '"'


def shown(cell: str) -> str:
    """SQL: the first 80 characters of a cell in quotes, safe to repeat in a message.

    Control characters and marks of writing direction are replaced, because they could change what
    a terminal shows.
    """
    return rf"chr(39) || regexp_replace(left(coalesce({cell}, ''), 80), '\pC', '�', 'g') || chr(39)"
