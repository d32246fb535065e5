"""How commands print."""

from __future__ import annotations

import sys
from typing import Annotated, Any, Final

import cyclopts
import msgspec
from cyclopts import ArgumentCollection, Parameter


def _require_one(flags: ArgumentCollection) -> None:
    given = sorted(flag.name for flag in flags.filter_by(value_set=True))
    if len(given) > 1:
        raise ValueError(f"{' and '.join(given)} cannot be given together")


_FORMATS: Final = cyclopts.Group(validator=_require_one, show=False)

Format = Annotated[bool, Parameter(negative="", group=(_FORMATS, "Parameters"))]
"""A flag that says how a command prints, where it has several: two of them are wrong usage."""


def print_json(value: Any) -> None:
    """One JSON value on standard output, for machines."""
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(value), indent=2).decode() + "\n")
