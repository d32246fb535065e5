"""How commands print: one console, JSON for machines, and data that cannot change how it is shown."""

from __future__ import annotations

import json
import sys
from io import TextIOWrapper
from typing import Annotated, Any, Final

import cyclopts
import msgspec
from cyclopts import ArgumentCollection, Parameter
from rich.console import Console
from rich.text import Text

from lpa_core.printable import printable


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


def print_json(value: Any) -> None:
    """One JSON value on standard output, for machines."""
    written = msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
    write_json_text(written + "\n")


def write_json_text(text: str) -> None:
    """JSON on standard output; what its encoding lacks, and what does not print, is escaped as JSON does it."""
    encoding = sys.stdout.encoding or "utf-8"
    lines = text.split("\n")
    sys.stdout.write("\n".join(line if _can_be_shown(line, encoding) else _escaped(line, encoding) for line in lines))


def _can_be_shown(text: str, encoding: str) -> bool:
    return text.isprintable() and text.encode(encoding, "ignore").decode(encoding) == text


def _escaped(text: str, encoding: str) -> str:
    return "".join(each if _can_be_shown(each, encoding) else json.dumps(each)[1:-1] for each in text)


def show_every_character() -> None:
    """Have a stream whose encoding lacks a character show an escape in its place."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
