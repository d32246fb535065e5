"""What ``lpa`` says of a command that does not exist: one that is like it, and all that there are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from typing import Final

import cyclopts

_NEAR: Final = 0.5
"""How alike words are that may be the same: 1 if they are equal."""


def unknown_command(root: cyclopts.App, error: cyclopts.CycloptsError) -> str:
    """One line about a command that is not there; empty if the error is about something else.

    A word after a command that has commands of its own, such as ``lpa triage``, was meant as a command too.
    """
    unknown = isinstance(error, cyclopts.UnknownCommandError | cyclopts.UnusedCliTokensError)
    chain = tuple(error.command_chain or ())
    app = _below(root, chain)
    names = _names(app)
    if not unknown or not error.unused_tokens or not names:
        return ""
    word, called = error.unused_tokens[0], " ".join(("lpa", *chain))
    known = f"{called} has {', '.join(names)}"
    if word.startswith("-"):
        return f'"{called}" takes no {word} without a command; {known}'
    nearest = _nearest(word, app, chain)
    return f'there is no command "{called} {word}"{nearest}; {known}'


def _below(root: cyclopts.App, chain: Sequence[str]) -> cyclopts.App:
    app = root
    for name in chain:
        app = app[name]
    return app


def _names(app: cyclopts.App) -> list[str]:
    return sorted(name for name in app if not name.startswith("-"))


def _nearest(word: str, app: cyclopts.App, chain: Sequence[str]) -> str:
    """The command of the group, or of all groups if none was named, that is like the word; empty if none is."""
    path = max(_all(app), key=lambda path: (round(_likeness(word, path), 1), -len(path)))
    return f': the nearest is "{" ".join(("lpa", *chain, *path))}"' if _likeness(word, path) >= _NEAR else ""


def _likeness(word: str, path: Sequence[str]) -> float:
    return SequenceMatcher(None, word.lower(), path[-1]).ratio()


def _all(app: cyclopts.App, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every command, by the words that call it."""
    for name in _names(app):
        yield (*path, name)
        yield from _all(app[name], (*path, name))
