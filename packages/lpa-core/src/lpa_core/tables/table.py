"""What a table holds, said once and independent of any database."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Any, final

import attrs


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


@final
@attrs.frozen(slots=True)
class Column:
    """A column: its name and what it holds, and for an event's table where in the event its value is.

    Attributes:
        at: a path (:mod:`lpa_core.events.paths`). None if the code that makes the rows knows.
        otherwise: another path, for an event that has nothing at the first one, or text that is empty.
        reads: a type of :mod:`lpa_core.events.model`, where it is another than the kind's own.
    """

    name: str
    kind: Kind
    nullable: bool = False
    at: str | None = attrs.field(default=None, kw_only=True, eq=False)
    otherwise: str | None = attrs.field(default=None, kw_only=True, eq=False)
    reads: Any = attrs.field(default=None, kw_only=True, eq=False)


@final
@attrs.frozen(slots=True, eq=False)
class Table:
    """A table's name and the columns that a row carries, in order.

    ``order_by`` names the columns a sink should sort by, most selective last.
    """

    name: str
    columns: tuple[Column, ...]
    order_by: tuple[str, ...] = ()

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
