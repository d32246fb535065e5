"""Stand-ins behind the real interfaces: a sink in memory, a source in memory, and crashes on demand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, final

from lpa_core.records import RecordBatch
from lpa_core.sinks.sink import RowsOfRange, RowsRefused, StoredOffsets, require_distinct
from lpa_core.sources.source import SourceError
from lpa_core.tables.known_gaps import KNOWN_GAPS_TABLE, OffsetSpan
from lpa_core.tables.table import Block, Table


class SimulatedCrash(BaseException):
    """Ends a run the way a kill does: nothing behind it runs."""


@final
class MemorySource:
    """Records from a list, as one partition of ``topic``; offsets count from 0."""

    partition = 0
    repeatable = True
    size = None
    bytes_read = 0

    def __init__(self, topic: str, values: Sequence[bytes | None], timestamps: Sequence[int] | None = None) -> None:
        self.topic = topic
        self._values = values
        self._timestamps = timestamps
        self._next = 0

    def seek(self, offset: int, resume: str) -> None:
        if offset > len(self._values):
            raise SourceError(f"{self.topic} ends before offset {offset}")
        self._next = offset

    def read(self, max_records: int, max_bytes: int) -> RecordBatch | None:
        start, end = self._next, min(self._next + max_records, len(self._values))
        if start == end:
            return None
        self._next = end
        times = None if self._timestamps is None else self._timestamps[start:end]
        return RecordBatch(self.topic, 0, range(start, end), self._values[start:end], times, resume=str(end))

    def close(self) -> None:
        pass


@final
class MemorySink:
    """Keeps rows in lists and tokens for ever, like a sink with an endless deduplication window.

    ``refuse`` is asked for each row, as a dictionary, of each table: a text is why it is refused.
    """

    def __init__(self, refuse: Callable[[Table, dict[str, Any]], str | None] = lambda table, row: None) -> None:
        self.tables: dict[str, list[dict[str, Any]]] = {}
        self.tokens: set[str] = set()
        self._withdrawn: set[tuple[str, int, int]] = set()
        self.refuse = refuse

    def open(self, tables: Sequence[Table]) -> None:
        require_distinct(tables)
        for table in tables:
            self.tables.setdefault(table.name, [])

    def write(self, block: Block) -> None:
        if block.token in self.tokens:
            return
        names = block.table.column_names
        rows = [dict(zip(names, values, strict=True)) for values in zip(*block.columns, strict=True)]
        refused = {index: why for index, row in enumerate(rows) if (why := self.refuse(block.table, row))}
        if refused:
            raise RowsRefused(block.table.name, refused)
        self.tables[block.table.name] += rows
        self.tokens.add(block.token)

    def withdraw(self, table: Table, topic: str, partition: int, offsets: Sequence[int]) -> None:
        gone = {(topic, partition, offset) for offset in offsets}
        self._withdrawn |= gone
        rows = self.tables[table.name]
        rows[:] = [
            row for row in rows if (row["source_topic"], row["source_partition"], row["source_offset"]) not in gone
        ]

    def withdrawn(self, topic: str, partition: int, first: int, end: int) -> Collection[int]:
        return [offset for offset in range(first, end) if (topic, partition, offset) in self._withdrawn]

    def stored_rows(self, topic: str, partition: int, first: int, end: int) -> RowsOfRange:
        found: dict[str, dict[int, int]] = {}
        spans = []
        for name, rows in self.tables.items():
            for row in rows:
                if (row["source_topic"], row["source_partition"]) != (topic, partition):
                    continue
                offset, behind = row["source_offset"], row.get("next_offset", row["source_offset"] + 1)
                if name == KNOWN_GAPS_TABLE.name and offset < end and behind > first:
                    spans.append(OffsetSpan(offset, behind))
                elif name != KNOWN_GAPS_TABLE.name and first <= offset < end:
                    found.setdefault(name, {})[offset] = row["ingestion_timestamp"]
        return RowsOfRange(found, spans)

    def newest_batch_time(self) -> int:
        return max((row.get("ingestion_timestamp", 0) for rows in self.tables.values() for row in rows), default=0)

    def stored_from(self, topic: str, first: Mapping[int, int]) -> Mapping[int, StoredOffsets]:
        rows = (row for name, rows in self.tables.items() if name != KNOWN_GAPS_TABLE.name for row in rows)
        return stored_from(rows, topic, first)

    def is_gap(self, topic: str, partition: int, span: OffsetSpan) -> bool:
        known = {
            offset
            for row in self.tables.get(KNOWN_GAPS_TABLE.name, ())
            if (row["source_topic"], row["source_partition"]) == (topic, partition)
            for offset in range(row["source_offset"], row["next_offset"])
        }
        return known.issuperset(range(*span))

    def close(self) -> None:
        pass

    def comparable(self) -> dict[str, Counter[str]]:
        """The rows of each table without ingestion and record times, for comparing two runs."""
        times = ("ingestion_timestamp", "source_record_timestamp")
        return {
            name: Counter(repr({key: value for key, value in row.items() if key not in times}) for row in rows)
            for name, rows in self.tables.items()
        }


def stored_from(rows: Iterable[Mapping[str, Any]], topic: str, first: Mapping[int, int]) -> Mapping[int, StoredOffsets]:
    """Of which offsets, from the first of their partition on, there are rows."""
    found: dict[int, StoredOffsets] = {}
    for row in rows:
        partition, offset = row["source_partition"], row["source_offset"]
        if row["source_topic"] != topic or partition not in first or offset < first[partition]:
            continue
        known = found.get(partition, StoredOffsets(offset, offset))
        found[partition] = StoredOffsets(min(known.lowest, offset), max(known.highest, offset))
    return found
