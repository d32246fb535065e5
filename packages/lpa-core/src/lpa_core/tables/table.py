"""What a table holds, said once and independent of any database."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, Final, Literal, final

import attrs

from lpa_core.argument_checks import items, shown_type

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")


class Kind(StrEnum):
    """The type of a column's values. A sink maps it to its own type."""

    TEXT = "text"
    """``str``, or ``bytes`` that are valid UTF-8."""
    LABEL = "label"
    """Text of few distinct values."""
    INT32 = "int32"
    INT64 = "int64"
    UINT8 = "uint8"
    UINT16 = "uint16"
    UINT32 = "uint32"
    UINT64 = "uint64"
    FLOAT32 = "float32"
    FLOAT64 = "float64"
    TIMESTAMP = "timestamp"
    """``int``, epoch milliseconds UTC, from 1900-01-01 to 2299-12-31."""


INTEGER_BOUNDS: Final = {
    Kind.INT32: (-(2**31), 2**31 - 1),
    Kind.INT64: (-(2**63), 2**63 - 1),
    Kind.UINT8: (0, 2**8 - 1),
    Kind.UINT16: (0, 2**16 - 1),
    Kind.UINT32: (0, 2**32 - 1),
    Kind.UINT64: (0, 2**64 - 1),
}
"""The least and the largest integer that a column of each kind holds."""


@final
@attrs.frozen(slots=True)
class Column:
    """A column: its name and what it holds, and for an event's table where in the event its value is.

    Attributes:
        at: a path (:mod:`lpa_core.events.paths`). None if the code that makes the rows knows.
        otherwise: another path, for an event that has nothing at the first one, or text that is empty.
        reads: a type of :mod:`lpa_core.events.model`, where it is another than the kind's own.
        by_key: key of the data -> text, for an event whose text at the paths is blank: that of the first of these keys
            that the data have.
        note: unit and meaning, for the dictionary of tables: a line without quotes.
        on_mismatch: what becomes of a value that the column cannot hold: ``coerce`` makes it 0, empty or null,
            ``reject`` makes the event a dead letter (reason ``value_mismatch``). Missing and null do not count as such.

    Raises ValueError if the name is not of letters, digits and underscores, or an attribute is of another type.
    """

    name: str
    kind: Kind
    nullable: bool = False
    at: str | None = attrs.field(default=None, kw_only=True, eq=False)
    otherwise: str | None = attrs.field(default=None, kw_only=True, eq=False)
    reads: Any = attrs.field(default=None, kw_only=True, eq=False)
    by_key: Mapping[str, str] = attrs.field(factory=dict[str, str], kw_only=True, eq=False)
    note: str = attrs.field(default="", kw_only=True, eq=False)
    on_mismatch: Literal["coerce", "reject"] = attrs.field(default="coerce", kw_only=True, eq=False)

    def __attrs_post_init__(self) -> None:
        _require_name("column", self.name)
        given: tuple[tuple[str, object, type | tuple[type, ...], str], ...] = (
            ("kind", self.kind, Kind, "one of Kind"),
            ("nullable", self.nullable, bool, "True or False"),
            ("at", self.at, (str, type(None)), "a path, as text"),
            ("otherwise", self.otherwise, (str, type(None)), "a path, as text"),
            ("by_key", self.by_key, Mapping, "a dict of keys and texts"),
            ("note", self.note, str, "text"),
        )
        for name, value, type_, expected in given:
            if not isinstance(value, type_):
                raise ValueError(f"column {self.name}: {name} is {shown_type(value)}: it must be {expected}")
        if self.on_mismatch not in ("coerce", "reject"):
            raise ValueError(f"column {self.name}: on_mismatch is {self.on_mismatch!r}: it must be coerce or reject")
        for name in ("otherwise", "by_key"):
            if getattr(self, name) and self.at is None:
                raise ValueError(f"column {self.name}: {name} stands in for at, which is not given")
        if not all(isinstance(each, str) for pair in self.by_key.items() for each in pair):
            raise ValueError(f"column {self.name}: by_key is a dict of keys and texts")
        if self.by_key and (self.nullable or self.kind not in (Kind.TEXT, Kind.LABEL)):
            raise ValueError(
                f"column {self.name}: by_key gives text: its kind is TEXT or LABEL, and it is not nullable"
            )
        if any(each in self.note for each in "'\\\n"):
            raise ValueError(f"column {self.name}: note is one line without quotes and backslashes")


@final
@attrs.frozen(slots=True, eq=False)
class Table:
    """A table's name and the columns that a row carries, in order.

    ``order_by`` names the columns a sink should sort by, most selective last.

    Raises ValueError if a name is not of letters, digits and underscores, if two columns have one name, be it in
    another case, or if ``order_by`` names something else than a column, or a column that can be null.
    """

    name: str
    columns: tuple[Column, ...]
    order_by: tuple[str, ...] = ()

    def __attrs_post_init__(self) -> None:
        _require_name("table", self.name)
        object.__setattr__(self, "columns", items(f"table {self.name}: columns", self.columns, Column))
        object.__setattr__(self, "order_by", items(f"table {self.name}: order_by", self.order_by, str))
        by_name: dict[str, Column] = {}
        for column in self.columns:
            if column.name.lower() in by_name:
                raise ValueError(f"table {self.name} has two columns named {column.name}: rename one")
            by_name[column.name.lower()] = column
        for name in self.order_by:
            found = by_name.get(name.lower())
            if found is None or found.name != name:
                raise ValueError(f"table {self.name} is ordered by {name!r}, which is none of its columns: name those")
            if found.nullable:
                raise ValueError(f"table {self.name} is ordered by {name}, which can be null: order it by others")

    @property
    def column_names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)


@final
@attrs.frozen(slots=True, repr=False)
class Block:
    """The rows of one table from one range of one partition, as columns.

    ``columns`` has one list per entry of ``table.columns``, all of the same length.
    ``offsets`` gives, for each row, the source offset that it came from (several rows may
    share one). ``token`` names the block: the same token always means the same rows, and
    a sink that has taken a token takes it again without effect.
    """

    table: Table
    topic: str
    partition: int
    offsets: Sequence[int]
    columns: Sequence[Sequence[Any]]
    token: str

    def __len__(self) -> int:
        return len(self.offsets)

    def __repr__(self) -> str:
        return f"Block({self.table.name}, {self.topic}[{self.partition}], {len(self)} rows)"


def _require_name(what: str, name: object) -> None:
    if not isinstance(name, str) or _NAME.fullmatch(name) is None:
        raise ValueError(
            f"{name!r} cannot name a {what}: use letters, digits and underscores, no digit first, at most 128"
        )
