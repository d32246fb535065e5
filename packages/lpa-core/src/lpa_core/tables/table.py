"""What a table holds, said once and independent of any database."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
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


MOST_DAYS: Final = 36_500
"""A hundred years."""


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

    Attributes:
        order_by: the columns a sink should sort by, most selective last.
        keep_days: days for which a sink keeps rows, 1 to 36500. None if the sink decides: ClickHouse keeps 90.
        each: a path to an array in an event's data: each of its items makes a row, and paths of columns begin at the
            item; ``$.data.`` begins one in the data. Empty if an event makes one row.
        one_of: path -> texts: only an event, or an item, whose texts at all of these paths are among them makes a row.

    Raises ValueError if a name is not of letters, digits and underscores, if two columns have one name, be it in
    another case, if ``order_by`` names something else than a column, or a column that can be null, or if another
    attribute is not what it has to be.
    """

    name: str
    columns: tuple[Column, ...]
    order_by: tuple[str, ...] = ()
    keep_days: int | None = attrs.field(default=None, kw_only=True)
    each: str = attrs.field(default="", kw_only=True)
    one_of: Mapping[str, Collection[str]] = attrs.field(factory=dict[str, Collection[str]], kw_only=True)

    def __attrs_post_init__(self) -> None:
        _require_name("table", self.name)
        self._require_fan_out()
        days = self.keep_days
        if days is not None and (type(days) is not int or not 1 <= days <= MOST_DAYS):
            raise ValueError(
                f"table {self.name}: keep_days is {days!r}: it must be a whole number from 1 to {MOST_DAYS}"
            )
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

    def _require_fan_out(self) -> None:
        if not isinstance(self.each, str):
            raise ValueError(f"table {self.name}: each is {shown_type(self.each)}: it must be a path, as text")
        if not isinstance(self.one_of, Mapping):
            raise ValueError(f"table {self.name}: one_of is {shown_type(self.one_of)}: it must be a dict")
        for path, texts in self.one_of.items():
            given = list(texts) if isinstance(texts, set | frozenset) else texts
            if not all(items(f"table {self.name}: one_of {path}", given, str)) or not texts:
                raise ValueError(f"table {self.name}: one_of {path}: give texts, and none that is empty")

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
