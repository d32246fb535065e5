"""On which line of a TOML file each name is written. Python's own parser tells no lines."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

Name = tuple[str, ...]
"""The keys that lead to a value or a table."""


def lines_of(text: str, *, headers: bool = True) -> dict[Name, int]:
    """Name -> number of the line on which it first stands, of a text that is TOML.

    A statement ends with the first line up to which it can be parsed, after the header of its table. Without
    ``headers`` a table stands where its first value does.
    """
    found: dict[Name, int] = {}
    header, statement, begins = "", "", 1
    for number, line in enumerate(text.split("\n"), 1):
        if not statement and line.lstrip().startswith("["):
            header = f"{line}\n"
        else:
            statement += f"{line}\n"
        try:
            table = tomllib.loads(header + statement)
        except tomllib.TOMLDecodeError:
            continue
        for name in _names(table) if headers or table != tomllib.loads(header) else ():
            found.setdefault(name, begins)
        statement, begins = "", number + 1
    return found


def _names(table: Mapping[str, Any], before: Name = ()) -> Iterator[Name]:
    for key, value in table.items():
        yield (*before, key)
        if isinstance(value, Mapping):
            yield from _names(value, (*before, key))
