"""Text of files as it may be shown: nothing in it moves a cursor or turns the direction of writing.

Belongs here: this one rule. Does not belong here: Markdown and HTML (`report/`, `defs/`).
"""


def printable(text: str) -> str:
    """The text, with escapes for what is not seen: control characters, turns of direction."""
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in text
    )
