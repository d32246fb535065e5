"""A model of the part of ClickHouse that the delivery needs: inserts under tokens that outlive their client.

An insert first stores its token and then its rows, part by part. A server continues the insert after its client died.
The embedded engine dies with its process.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, final

import attrs

from lpa_core.delivery.consumer_group import Partition
from lpa_core.sinks.sink import RowsRefused, SinkUnavailable, StoredKeys, StoredOffsets, require_distinct
from lpa_core.tables.known_gaps import KNOWN_GAPS_TABLE
from lpa_core.tables.row_layout import RAW_TABLE
from lpa_core.tables.table import Block, Table
from lpa_core.testing.doubles import stored_from
from lpa_core.testing.simulation.scheduler import Host, Scheduler


@final
@attrs.define(eq=False)
class _Insert:
    """A statement under way in the server."""

    token: str
    places: frozenset[tuple[str, str, int]]
    """Tables, topics and partitions that it adds rows to."""
    completes: bool
    host: Host | None
    """The process that it dies with."""
    """Rows that are there, or were withdrawn, are left out."""
    killed: bool = False
    """The server died on it: the token may be remembered without the rows."""


@final
class SimulatedDatabase:
    """What all workers write into."""

    def __init__(
        self,
        scheduler: Scheduler,
        refused: Callable[[Block], dict[int, str]],
        *,
        faults: bool,
        embedded: bool = False,
    ) -> None:
        """``refused`` names the rows of a block that cannot be stored, and why."""
        self.scheduler, self.refused, self.faults, self.embedded = scheduler, refused, faults, embedded
        self.rows: dict[str, list[dict[str, Any]]] = {}
        self.tokens: set[str] = set()
        self.withdrawn: set[tuple[tuple[str, str, int], int]] = set()
        self.running: list[_Insert] = []
        self.written: set[tuple[Partition, int, int]] = set()
        """Every range of which a block arrived."""

    def insert(self, blocks: Sequence[Block], token: str, host: Host, *, completes: bool) -> _Insert:
        """Begin to insert blocks of one table."""
        places = frozenset(place(block.table, block.topic, block.partition) for block in blocks)
        insert = _Insert(token, places, completes, host if self.embedded else None)
        self.running.append(insert)
        self.scheduler.spawn(insert.host, lambda: self._carry_out(insert, blocks))
        return insert

    def died(self, host: Host) -> None:
        """A process is no more, nor is what an engine within it was doing."""
        self.running[:] = [insert for insert in self.running if insert.host is not host]

    def _carry_out(self, insert: _Insert, blocks: Sequence[Block]) -> None:
        draw = self.scheduler.random
        if self.faults and draw.random() < 0.05:
            self.scheduler.pause(draw.uniform(0, 3))
        present = {block.partition: self.left_out(block) if insert.completes else set[int]() for block in blocks}
        if insert.token not in self.tokens and not all(present[b.partition].issuperset(b.offsets) for b in blocks):
            self.tokens.add(insert.token)
            if self.faults and draw.random() < 0.05:
                self.scheduler.pause(draw.uniform(0, 1))
                if draw.random() < 0.3:
                    self.scheduler.say(f"the server dies on {blocks!r}: its token stays, its rows are gone")
                    insert.killed = True
            if not insert.killed:
                rows = [row for block in blocks for row in _rows(block)]
                new = [row for row in rows if row["source_offset"] not in present[row["source_partition"]]]
                for part in self._parts(new):
                    self.rows.setdefault(blocks[0].table.name, []).extend(part)
                    stored = [(row["source_partition"], row["source_offset"]) for row in part]
                    self.scheduler.say(f"stored {blocks[0].table.name} {stored} under {insert.token}")
                    if self.embedded:
                        self.scheduler.pause()
        self.running.remove(insert)

    def _parts(self, rows: Sequence[dict[str, Any]]) -> list[Sequence[dict[str, Any]]]:
        """As rows of different months are put in place one after the other; all of one event are of one month."""
        if not self.embedded or self.scheduler.random.random() < 0.5:
            return [rows]
        events = list(dict.fromkeys((row["source_partition"], row["source_offset"]) for row in rows))
        first = {event for event in events if self.scheduler.random.random() < 0.5}
        parts: tuple[list[dict[str, Any]], list[dict[str, Any]]] = ([], [])
        for row in rows:
            parts[(row["source_partition"], row["source_offset"]) in first].append(row)
        return [*parts]

    def forget_tokens(self) -> None:
        """As after a window's worth of other blocks."""
        self.tokens.clear()

    def stored_from(self, topic: str, first: Mapping[int, int]) -> Mapping[int, StoredOffsets]:
        """If there are rows, or notes of what was withdrawn, which would keep a completion from adding rows."""
        notes = [
            {"source_topic": topic, "source_partition": partition, "source_offset": offset}
            for (_, topic, partition), offset in self.withdrawn
        ]
        rows = (rows for name, rows in self.rows.items() if name != KNOWN_GAPS_TABLE.name)
        return stored_from(chain(notes, *rows), topic, first)

    def left_out(self, block: Block) -> set[int]:
        """The offsets that a completion of the block leaves out: rows that are there, or were withdrawn."""
        batch_time = block.columns[block.table.column_names.index("ingestion_timestamp")][0]
        stored = {
            row["source_offset"]
            for row in self.rows.get(block.table.name, ())
            if (row["source_topic"], row["source_partition"], row["ingestion_timestamp"])
            == (block.topic, block.partition, batch_time)
        }
        where = place(block.table, block.topic, block.partition)
        return stored | {offset for found, offset in self.withdrawn if found == where}


@final
class SimulatedSink:
    """One worker's client of the database."""

    def __init__(self, database: SimulatedDatabase, host: Host) -> None:
        self._database, self._scheduler, self._host = database, database.scheduler, host
        self._interrupted = False

    @property
    def exclusive(self) -> bool:
        return self._database.embedded

    def open(self, tables: Sequence[Table]) -> None:
        require_distinct(tables)

    def write(self, block: Block) -> None:
        self._interrupted = False
        self._arrive(block)
        refused = self._database.refused(block)
        if refused:
            self._scheduler.pause()
            raise RowsRefused(block.table.name, refused)
        if self._attempts([block], block.token) > 1:
            self._complete(block)

    def write_together(self, blocks: Sequence[Block]) -> None:
        self._interrupted = False
        if not blocks:
            return
        for block in blocks:
            self._arrive(block)
        if any(map(self._database.refused, blocks)):
            self._scheduler.pause()
            raise RowsRefused(blocks[0].table.name, {})
        if self._attempts(blocks, f"together {[block.token for block in blocks]}") > 1:
            for block in blocks:
                self._complete(block)

    def _attempts(self, blocks: Sequence[Block], token: str) -> int:
        """Insert until it is acknowledged; return how often that took."""
        attempts = 1
        self._scheduler.pause()
        while not self._attempt(blocks, token):
            if self._interrupted:
                raise SinkUnavailable("interrupted")
            self._scheduler.pause(0.2)
            attempts += 1
            self._scheduler.pause()
        return attempts

    def _arrive(self, block: Block) -> None:
        start, _, end = block.token.split(":")[2].partition("-")
        if end and start != end:
            self._database.written.add((Partition(block.topic, block.partition), int(start), int(end)))

    def _attempt(self, blocks: Sequence[Block], token: str, *, completes: bool = False) -> bool:
        """Insert, and return whether it was acknowledged."""
        draw = self._scheduler.random
        faults = self._database.faults
        if faults and draw.random() < 0.03:
            return False  # never arrived
        insert = self._database.insert(blocks, token, self._host, completes=completes)
        deadline = self._scheduler.now + 2
        while insert in self._database.running:
            self._scheduler.pause(0.01)
            if self._scheduler.now > deadline:
                # A session runs one statement at a time: the next attempt waits for this one.
                while insert in self._database.running:
                    self._scheduler.pause(0.1)
                return False
        return not insert.killed and not (faults and draw.random() < 0.03)

    def complete(self, block: Block) -> None:
        self._interrupted = False
        self._arrive(block)
        self._scheduler.pause()
        missing = self._missing(block)
        if len(missing) == len(block):
            self.write(block)
        if missing:
            self._complete(block)

    def _complete(self, block: Block) -> None:
        for number in range(100):
            self._scheduler.pause()
            if not self._missing(block):
                return
            self._wait_for_others(place(block.table, block.topic, block.partition))
            missing = self._missing(block)
            if not missing:
                return
            some = attrs.evolve(
                block,
                offsets=[block.offsets[index] for index in missing],
                columns=[[values[index] for index in missing] for values in block.columns],
            )
            self._scheduler.pause()
            self._attempt([some], f"{block.token}:completion:{number}", completes=True)

    def _wait_for_others(self, where: tuple[str, str, int]) -> None:
        while any(where in insert.places for insert in self._database.running):
            self._scheduler.pause(0.1)

    def _missing(self, block: Block) -> list[int]:
        present = self._database.left_out(block)
        return [index for index, offset in enumerate(block.offsets) if offset not in present]

    def withdraw(self, table: Table, topic: str, partition: int, offsets: Sequence[int]) -> None:
        self._scheduler.pause()
        where = place(table, topic, partition)
        self._database.withdrawn |= {(where, offset) for offset in offsets}
        self._wait_for_others(where)
        self._scheduler.pause()
        self._scheduler.say(f"withdraws {[*offsets]} of [{partition}] from {table.name}")
        rows = self._database.rows.get(table.name, [])
        rows[:] = [
            row
            for row in rows
            if (row["source_topic"], row["source_partition"]) != (topic, partition)
            or row["source_offset"] not in offsets
        ]

    def recall(self, topic: str, partition: int, first_offset: int, since: int) -> Iterator[StoredKeys]:
        self._scheduler.pause()
        rows = [
            row
            for row in self._database.rows.get(RAW_TABLE.name, ())
            if (row["source_topic"], row["source_partition"]) == (topic, partition)
            and row["source_offset"] >= first_offset
            and row["ingestion_timestamp"] >= since
        ]
        for row in sorted(rows, key=lambda row: (row["ingestion_timestamp"], row["source_offset"])):
            yield StoredKeys(row["ingestion_timestamp"], [row["dedup_key"]], [row["source_offset"]])
            self._scheduler.pause()

    def stored_from(self, topic: str, first: Mapping[int, int]) -> Mapping[int, StoredOffsets]:
        self._scheduler.pause()
        while any(where[1] == topic and where[2] in first for each in self._database.running for where in each.places):
            self._scheduler.pause(0.1)
        return self._database.stored_from(topic, first)

    def newest_batch_time(self) -> int:
        self._scheduler.pause()
        rows = chain.from_iterable(self._database.rows.values())
        return max((row["ingestion_timestamp"] for row in rows), default=0)

    def interrupt(self) -> None:
        self._interrupted = True

    def close(self) -> None:
        pass


def _rows(block: Block) -> list[dict[str, Any]]:
    return [dict(zip(block.table.column_names, values, strict=True)) for values in zip(*block.columns, strict=True)]


def place(table: Table, topic: str, partition: int) -> tuple[str, str, int]:
    return table.name, topic, partition
