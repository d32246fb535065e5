"""Where the sink under test keeps its rows, and rows to write."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Any, Final, Protocol

import pytest

from lpa_core.events.event_type import typed_table
from lpa_core.sinks.sink import Sink
from lpa_core.tables.row_layout import LEADING_COLUMNS
from lpa_core.tables.table import Block, Column, Kind, Table

TABLE: Final = typed_table(
    "sink_contract",
    Column("text", Kind.TEXT),
    Column("label", Kind.LABEL),
    Column("int32", Kind.INT32),
    Column("int64", Kind.INT64),
    Column("uint8", Kind.UINT8),
    Column("uint16", Kind.UINT16),
    Column("uint32", Kind.UINT32),
    Column("uint64", Kind.UINT64),
    Column("float32", Kind.FLOAT32),
    Column("float64", Kind.FLOAT64),
    Column("timestamp", Kind.TIMESTAMP),
    *(Column(f"nullable_{kind.value}", kind, nullable=True) for kind in Kind),
    order_by=("label", "text"),
)
"""A table with a column of every kind, also nullable."""
OTHER_TABLE: Final = typed_table("sink_contract_other", Column("text", Kind.TEXT), order_by=("text",))

ZEROES: Final[tuple[Any, ...]] = (
    *("", ""),
    *(0 for kind in Kind if kind not in (Kind.TEXT, Kind.LABEL)),
    *(None for _ in Kind),
)
"""A row's own values where a test does not care."""

Row = tuple[Any, ...]


class Place(Protocol):
    """Somewhere a sink keeps rows, of its own for each test."""

    def sink(self) -> Sink:
        """A new sink, not yet opened, that keeps its rows there."""
        ...

    def rows(self, table: Table) -> list[Row]:
        """All rows there, in any order: text as ``str``, timestamps as epoch ms. A sink is open meanwhile."""
        ...


class RefusingPlace(Place, Protocol):
    def refuse(self, table: Table, text: str) -> None:
        """From now on, do not store rows of the table whose column ``text`` has this value."""
        ...


class DriftingPlace(Place, Protocol):
    """A place where tables can be changed behind a sink's back; ``sink()`` no longer repairs them when it is opened."""

    def drop_table(self, table: Table) -> None: ...

    def drop_column(self, table: Table, column: str) -> None: ...

    def change_type(self, table: Table, column: str) -> None:
        """Give the column another type."""
        ...


def block(
    token: str,
    rows: Sequence[Row] | int,
    *,
    table: Table = TABLE,
    topic: str = "events",
    partition: int = 0,
    start: int = 0,
    offsets: Sequence[int] | None = None,
) -> Block:
    """A block of rows, each given by its own values, or of so many rows of no interest."""
    own = [(str(start + i), *ZEROES[1:]) for i in range(rows)] if isinstance(rows, int) else list(rows)
    offsets = range(start, start + len(own)) if offsets is None else offsets
    count, now = len(own), time.time_ns() // 1_000_000
    leading: list[Sequence[Any]] = [
        [now] * count,
        [f"uid-{offset}" for offset in offsets],
        [""] * count,
        [topic] * count,
        [partition] * count,
        offsets,
        [now] * count,
        [False] * count,
    ]
    width = len(table.columns) - len(LEADING_COLUMNS)
    values = [list(column) for column in zip(*own, strict=True)][:width] if own else [[] for _ in range(width)]
    return Block(table, topic, partition, offsets, [*leading, *values], token)


def texts(place: Place, table: Table = TABLE) -> list[str]:
    """The column ``text`` of all rows, sorted."""
    return sorted(row[len(LEADING_COLUMNS)] for row in place.rows(table))


class Contract:
    @pytest.fixture
    def place(self) -> Any:
        raise NotImplementedError("override the fixture place")

    @pytest.fixture
    def sink(self, place: Place) -> Iterator[Sink]:
        with closing(place.sink()) as sink:
            sink.open([TABLE, OTHER_TABLE])
            yield sink
