"""What a sink promises."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol, final, runtime_checkable

import attrs

from lpa_core.errors import ConfigurationError, JobFailed, Unavailable
from lpa_core.lifecycle.fold_rules import FoldRules
from lpa_core.sinks.derived import Derived
from lpa_core.tables.known_gaps import OffsetSpan
from lpa_core.tables.table import Block, Table


class SinkUnavailable(Unavailable):
    """The sink cannot take anything now; the same write may succeed later.

    The sink has already retried for as long as it was told to. Nothing that was
    read is lost: the range stays prepared and is repeated.
    """


class SinkMisconfigured(ConfigurationError):
    """The sink will never take anything like this: a table or column is missing, a login refused.

    Ingestion stops and says so. It never turns into dead letters.
    """


class RowsRefused(JobFailed):
    """The sink refuses single rows of a block. Nothing of the block was written.

    Attributes:
        rows: index in the block -> why, one line, without values of the row.
    """

    def __init__(self, table: str, rows: Mapping[int, str]) -> None:
        super().__init__(f"{table}: {len(rows)} rows refused")
        self.table = table
        self.rows: dict[int, str] = dict(rows)


def require_distinct(tables: Iterable[Table]) -> None:
    """Raise SinkMisconfigured if two tables have one name, be it in another case: their blocks would share tokens."""
    seen: dict[str, Table] = {}
    for table in tables:
        if seen.setdefault(table.name.lower(), table) is not table:
            raise SinkMisconfigured(f"two tables are named {table.name}: rows of one would be taken for the other's")


@runtime_checkable
class SupportsPreEncode(Protocol):
    """A sink that can do part of the work on a block beforehand."""

    def anticipate(self, block: Block) -> None:
        """Prepare to write a block, such as by encoding its rows; nothing leaves the process.

        Called in another thread than ``write``, while an earlier range is being written: what needs the interpreter
        is better done here, and ``write`` left to wait for the sink. The block may come again with other rows under
        the same token before it is written, and may never be written. Raises nothing.
        """
        ...


@runtime_checkable
class SupportsCompletion(Protocol):
    """A sink whose memory of tokens may outlive the rows when it is killed, or end before they do."""

    def complete(self, block: Block) -> None:
        """Write a block of which earlier attempts may have written all rows, some or none: what is missing of it.

        Called instead of ``write`` for the blocks of a range that may have been started before. Raises what ``write``
        raises.
        """
        ...


@runtime_checkable
class SupportsWithdrawn(Protocol):
    """A sink that keeps notes of what was withdrawn, for who repeats a range and has none of its own."""

    def withdrawn(self, topic: str, partition: int, first: int, end: int) -> Collection[int]:
        """The offsets from ``first`` on and before ``end`` whose rows were withdrawn from any table.

        Called after ``open``, by the thread that writes. Raises SinkUnavailable, SinkMisconfigured.
        """
        ...


@final
@attrs.frozen(slots=True)
class RowsOfRange:
    """What a sink holds of some offsets of a partition.

    Attributes:
        batch_times: table name -> offset that it has rows of -> their batch time, epoch ms.
        gaps: known gaps that reach into them.
    """

    batch_times: Mapping[str, Mapping[int, int]]
    gaps: Sequence[OffsetSpan]


@runtime_checkable
class SupportsStoredRows(Protocol):
    """A sink that can say what it holds of a range, by any run: a job that goes back to earlier offsets asks it."""

    def stored_rows(self, topic: str, partition: int, first: int, end: int) -> RowsOfRange:
        """What is stored of the offsets from ``first`` on and before ``end``.

        Called after ``open``, by the thread that writes. Raises SinkUnavailable, SinkMisconfigured.
        """
        ...


@runtime_checkable
class SupportsInterrupt(Protocol):
    """A sink whose waiting can be cut short."""

    def interrupt(self) -> None:
        """Make a write that waits for the sink raise SinkUnavailable soon, and every later one at its first failure.

        Called by another thread than the one that writes.
        """
        ...


@runtime_checkable
class SupportsWaitReason(Protocol):
    """A sink that says what keeps a write from coming to its end."""

    @property
    def waiting_for(self) -> str:
        """Why the attempt before failed, while a write is tried again; empty otherwise. Asked by any thread."""
        ...


@final
@attrs.frozen(slots=True)
class StoredKeys:
    """What accepted events of one partition and batch time (epoch ms) claimed, and the offsets they came from.

    See :func:`lpa_core.orgs.claim_key`.
    """

    batch_time: int
    keys: Sequence[str]
    offsets: Sequence[int]


@runtime_checkable
class SupportsRecall(Protocol):
    """A sink that can say which events it holds: what lost claims are rebuilt from."""

    def recall(self, topic: str, partition: int, first_offset: int, since: int) -> Iterator[StoredKeys]:
        """The keys of stored events from ``first_offset`` on, ingested at ``since`` (epoch ms) or later.

        In the order of their batch times. Called in a thread of its own while others write. Raises SinkUnavailable,
        SinkMisconfigured.
        """
        ...


@final
class StoredRange(NamedTuple):
    """A range as the rows in every table name it: topic, partition and ingestion time (epoch ms)."""

    topic: str
    partition: int
    batch_time: int


@runtime_checkable
class SupportsDerivation(Protocol):
    """A sink that derives tables from those it is given: facts, rollups.

    ``derive`` is called in a thread of its own while others write.
    """

    @property
    def exclusive(self) -> bool:
        """Whether only this process can reach what is stored, so that nobody else can derive from it."""
        ...

    def expect(self, stored: StoredRange) -> None:
        """A range is about to be written: remember it, over the end of the process too, until it is derived from."""
        ...

    def derive(self, stored: Sequence[StoredRange], rules: FoldRules) -> Derived:
        """Bring everything that these ranges touch up to date; first of all what an earlier process left.

        Returns what that took. Doing it again changes nothing. Raises SinkUnavailable, SinkMisconfigured.
        """
        ...


@runtime_checkable
class SupportsInventory(Protocol):
    """A sink that can say what is stored: a checkpoint that knows of more, or of less, is not to be believed.

    Called after ``open``. Both raise SinkUnavailable, SinkMisconfigured.
    """

    def is_empty(self) -> bool:
        """Whether nothing is stored of any record, be it accepted, rejected or ignored."""
        ...

    def holds(self, topic: str, partition: int) -> bool:
        """Whether anything is stored of a record of the partition, as above."""
        ...


@runtime_checkable
class SupportsPresence(Protocol):
    """A sink that can say before ``open`` whether its place exists: to open it would make it."""

    def is_there(self) -> bool:
        """Whether there is a place that may hold records; also true if only ``open`` can tell."""
        ...


@final
@attrs.frozen(slots=True)
class StoredOffsets:
    """The lowest and the highest offset that a sink has rows of, in a part of a partition."""

    lowest: int
    highest: int


@runtime_checkable
class SupportsStoredOffsets(Protocol):
    """A sink that can say which positions it has rows of: offsets that were committed are checked against it."""

    def stored_from(self, topic: str, first: Mapping[int, int]) -> Mapping[int, StoredOffsets]:
        """For each partition of which any table has rows at or beyond the offset in ``first``: which offsets.

        All tables that the sink was opened with count, but that of known gaps, and notes of its own that would keep
        rows of these positions out. Rows of these partitions that an insert is still to put in their place are waited
        for, a little. Called after ``open``, in a thread of its own while others write. Raises
        SinkUnavailable, also if it waited in vain, SinkMisconfigured.
        """
        ...


@runtime_checkable
class SupportsKnownGaps(Protocol):
    """A sink that can say which offsets have no records: what a topic no longer has was not lost there."""

    def is_gap(self, topic: str, partition: int, span: OffsetSpan) -> bool:
        """Whether it knows that all these offsets have no records.

        Called after ``open``, in whatever thread; answers at once, or raises SinkUnavailable, SinkMisconfigured.
        """
        ...


@runtime_checkable
class SupportsContentComparison(Protocol):
    """A sink that can compare a duplicate with the event that its key belongs to."""

    def other_content(self, topic: str, partition: int, first: int) -> int:
        """How many duplicates from offset ``first`` on have other content than every stored event of their key.

        Raises SinkUnavailable, SinkMisconfigured.
        """
        ...


@runtime_checkable
class SupportsNewestTime(Protocol):
    """A sink that can say when it was written to last, by the clocks of those who wrote."""

    def newest_batch_time(self) -> int:
        """The latest ingestion time of any row, epoch ms; 0 if there is none.

        Called after ``open``, in a thread of its own while others write. Raises SinkUnavailable, SinkMisconfigured.
        """
        ...


class Sink(Protocol):
    """Takes blocks, each exactly once no matter how often it is written.

    A sink is used by one thread at a time, which need not be the thread that opened it.
    """

    def open(self, tables: Sequence[Table]) -> None:
        """Connect and make sure that each table can take its rows; called once, before any write.

        Raises SinkUnavailable, or SinkMisconfigured: also if two tables have one name (:func:`require_distinct`).
        """
        ...

    def write(self, block: Block) -> None:
        """Write the block, whole. After return it is durable and visible.

        A block whose token was written before is accepted without effect. May block for as
        long as the sink retries. Raises RowsRefused when the rows named in it can never be
        stored and nothing of the block was written; SinkUnavailable; SinkMisconfigured.
        """
        ...

    def withdraw(self, table: Table, topic: str, partition: int, offsets: Sequence[int]) -> None:
        """Remove the rows that came from these positions, if any are there.

        Needed when an event has rows in several tables and a later table refuses its row.
        """
        ...

    def close(self) -> None:
        """Let go of connections. Closing twice is allowed."""
        ...


@runtime_checkable
class SupportsGathering(SupportsCompletion, Sink, Protocol):
    """A sink that can store blocks of several ranges at once, as long as nobody else writes into it."""

    @property
    def exclusive(self) -> bool:
        """Whether only this process can reach what is stored: blocks are gathered only then."""
        ...

    def write_together(self, blocks: Sequence[Block]) -> None:
        """Write blocks of one table, of as many ranges of which nothing was started before, in fewer steps than alone.

        After return they are durable and visible. Their tokens are not remembered: a worker that writes one of them
        again has to ``complete`` it, after an error as in another process. Raises what ``write`` raises, but
        RowsRefused does not name the rows: that is found out by completing the blocks one by one.
        """
        ...


def gathering(sinks: Sequence[Sink]) -> Sequence[SupportsGathering]:
    """All the sinks, if each of them can take several ranges at once now; none otherwise."""
    found = [sink for sink in sinks if isinstance(sink, SupportsGathering) and sink.exclusive]
    return found if len(found) == len(sinks) else []
