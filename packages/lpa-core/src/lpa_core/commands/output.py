"""How commands print: one console, JSON for machines, and data that cannot change how it is shown."""

from __future__ import annotations

import json
import os
import sys
from contextlib import suppress
from io import TextIOWrapper
from typing import Annotated, Any, Final

import cyclopts
import msgspec
from cyclopts import ArgumentCollection, Parameter
from rich.console import Console
from rich.text import Text


def _require_one(flags: ArgumentCollection) -> None:
    given = sorted(flag.name for flag in flags.filter_by(value_set=True))
    if len(given) > 1:
        raise ValueError(f"{' and '.join(given)} cannot be given together")


_FORMATS: Final = cyclopts.Group(validator=_require_one, show=False)

Format = Annotated[bool, Parameter(negative="", group=(_FORMATS, "Parameters"))]
"""A flag that says how a command prints, where it has several: two of them are wrong usage."""


def console(*, stderr: bool = False) -> Console:
    """Where people read: 80 columns unless the terminal or COLUMNS says otherwise, no colour in a pipe.

    Data is printed as it is: nothing in it is markup.
    """
    return Console(stderr=stderr, highlight=False, markup=False, emoji=False)


def print_line(text: str, style: str = "") -> None:
    """One line of text on standard output, no matter how long: a terminal wraps it, and a program can read it."""
    console().print(plain(text, style), soft_wrap=True)


def plain(value: object, style: str = "") -> Text:
    """The value as text in which every character can be seen.

    Control characters, marks that change the direction of writing, and whatever else does not print are escaped:
    data cannot move the cursor, and cannot look like something else.
    """
    return Text(printable(str(value)), style)


def folded(text: str) -> Text:
    """The text for lines that are broken anywhere: JSON, which has few words."""
    return Text(printable(text), overflow="fold")


def printable(text: str) -> str:
    """The text with an escape such as ``\\x1b`` for each character that does not print."""
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape", "surrogatepass").decode()
        for character in text
    )


def print_json(value: Any) -> None:
    """One JSON value on standard output, for machines."""
    written = msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
    write_json_text(written + "\n")


def write_json_text(text: str) -> None:
    """JSON on standard output; what its encoding lacks is escaped as JSON does it."""
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        text = "".join(each if each.isascii() else json.dumps(each)[1:-1] for each in text)
    sys.stdout.write(text)


def make_streams_safe() -> None:
    """Let nothing that is printed fail because a standard stream is closed or cannot show a character.

    A closed one is opened on nothing. Otherwise the next file that is opened, such as one of a database, would take
    its number, and what a library prints would be written into that file.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            number = os.open(os.devnull, os.O_RDWR)  # the lowest number that is free
            os.set_inheritable(number, True)
            setattr(sys, name, os.fdopen(number, mode, encoding="utf-8"))
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def flush_output() -> None:
    """Write what is held back. If nobody reads it any more, as after `head`, this is not an error."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        abandon_output()


def abandon_output() -> None:
    """Let standard output go nowhere: Python flushes once more when it ends, and would complain."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
