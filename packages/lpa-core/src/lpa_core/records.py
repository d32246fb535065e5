"""Records as a source hands them over: bytes, and where they came from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

import attrs
import msgspec


@final
class Position(msgspec.Struct, frozen=True, order=True, gc=False):
    """Where a record stands in its source. A struct: there are several for each record.

    For Kafka these are the topic, partition and offset. For a file the topic is the
    file's name, the partition 0 and the offset the line counted from 0.
    """

    topic: str
    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.topic}[{self.partition}]@{self.offset}"


@final
@attrs.frozen(slots=True)
class Oversized:
    """What is known of a record that was too long to be read into memory."""

    size: int
    """Bytes of the whole record."""
    sha256: str
    """Lower-case hex digest of the whole record."""


@final
@attrs.frozen(slots=True, repr=False)
class RecordBatch:
    """Consecutive records of one partition, column by column.

    All sequences have the same length. ``timestamps`` are epoch milliseconds, or None
    if the source knows none (a file): the batch's time stands in then.
    ``values`` holds None for a tombstone. A header's value may be None, too, and in its name lone surrogates stand for
    bytes that are not UTF-8 (``surrogateescape``). ``oversized`` maps an index to the facts of a
    record of which ``values`` holds only the beginning.
    """

    topic: str
    partition: int
    offsets: Sequence[int]
    values: Sequence[bytes | None]
    timestamps: Sequence[int] | None = None
    keys: Sequence[bytes | None] | None = None
    headers: Sequence[Sequence[tuple[str, bytes | None]] | None] | None = None
    oversized: dict[int, Oversized] = attrs.field(factory=dict)
    org: str | None = None
    """Whose events they are, if the source knows: otherwise its topic tells."""
    resume: str = ""
    """Where the source goes on after this batch; only the source knows what it means."""

    def __len__(self) -> int:
        return len(self.values)

    def __repr__(self) -> str:
        span = f"{self.offsets[0]}..{self.offsets[-1]}" if len(self) else "empty"
        return f"RecordBatch({self.topic}[{self.partition}] {span})"

    def position(self, index: int) -> Position:
        return Position(self.topic, self.partition, self.offsets[index])

    def timestamp(self, index: int, batch_time: int) -> int:
        """Epoch ms of the record, or ``batch_time`` where the source knows none."""
        return batch_time if self.timestamps is None else self.timestamps[index]
