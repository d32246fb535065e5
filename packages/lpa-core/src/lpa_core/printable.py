"""Text in which every character can be seen."""

from __future__ import annotations


def printable(text: str) -> str:
    """The text with an escape such as ``\\x1b`` for each character that does not print."""
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape", "surrogatepass").decode()
        for character in text
    )
