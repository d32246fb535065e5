"""The assertions, one SQL file each; ``configs/assertions`` holds the same.

A file begins with comments that say its severity, which invariants of docs/spec/serving.md section 10 it covers, what
it
means and what to do where it does not hold. Its query returns what offends in the window from ``start`` to ``end``: no
row, and it holds. A row may carry a ``severity`` of its own.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import StrEnum
from functools import cache
from typing import Final, final

import attrs

from lpa_sinks.clickhouse.sql_files import SqlFiles
from lpa_sinks.schema.ddl import in_database

_SQL: Final = SqlFiles(__package__)

_FIELD: Final = re.compile(r"^-- (severity|covers|meaning|to do): (.*(?:\n--   .*)*)\n", re.MULTILINE)


class Severity(StrEnum):
    """What a row that offends means: it blocks a release, is to be looked at, or only tells."""

    FAIL = "fail"
    WARN = "warn"
    INFO = "info"


@final
@attrs.frozen
class Assertion:
    """One SQL file.

    Attributes:
        severities: what a row can mean, as the file says it.
        covers: numbers of invariants in docs/spec/serving.md section 10.
    """

    name: str
    severities: str
    covers: tuple[int, ...]
    meaning: str
    to_do: str
    text: str = attrs.field(repr=False)

    @property
    def severity(self) -> Severity:
        """The worst that a row can mean."""
        return Severity(self.severities.partition(" or ")[0])

    def query(self, database: str) -> str:
        """The query for a database; ``start`` and ``end`` are its parameters.

        Raises SinkMisconfigured for a name that is none.
        """
        return in_database(self.text, database)


@cache
def assertions() -> Sequence[Assertion]:
    """All of them, by name."""
    return [_read(name, _SQL.text(name)) for name in _SQL.names()]


def _read(file: str, text: str) -> Assertion:
    fields = {name: value.replace("\n--   ", " ") for name, value in _FIELD.findall(text)}
    return Assertion(
        name=file.removesuffix(".sql"),
        severities=fields["severity"],
        covers=tuple(int(number) for number in fields["covers"].split(", ")),
        meaning=fields["meaning"],
        to_do=fields["to do"],
        text=text,
    )
