"""What ``lpa`` says of a command that does not exist: the nearest one, and all that there are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

import cyclopts


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
    word = error.unused_tokens[0]
    nearest = max(_all(root), key=lambda path: _likeness(word, path, chain))
    return (
        f'there is no command "{" ".join(("lpa", *chain, word))}": the nearest is "{" ".join(("lpa", *nearest))}"; '
        f"{' '.join(('lpa', *chain))} has {', '.join(names)}"
    )


def _below(root: cyclopts.App, chain: Sequence[str]) -> cyclopts.App:
    app = root
    for name in chain:
        app = app[name]
    return app


def _names(app: cyclopts.App) -> list[str]:
    return sorted(name for name in app if not name.startswith("-"))


def _all(app: cyclopts.App, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every command, by the words that call it."""
    for name in _names(app):
        yield (*path, name)
        yield from _all(app[name], (*path, name))


def _likeness(word: str, path: tuple[str, ...], chain: tuple[str, ...]) -> tuple[float, bool, int]:
    """How well a command fits a word: by its name; among equals, one of the group that was named, then a short one."""
    alike = SequenceMatcher(None, word.lower(), path[-1]).ratio()
    return round(alike, 1), path[:-1] == chain, -len(path)
