"""Making text from files safe to show in a terminal.

Belongs here: this one rule. Does not belong here: escaping for Markdown and HTML (`report/`,
`defs/`).
"""


def printable(text: str) -> str:
    """The text with escapes for unprintable characters, such as control characters.

    Such characters could move a terminal's cursor or reverse the direction of writing.
    """
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in text
    )
