"""A person with an admin tool: takes a group's offsets away, and sets right what workers refuse to go on from."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import pairwise
from typing import Any, final

from lpa_core.delivery.commit_metadata import decode
from lpa_core.delivery.consumer_group import Commit, Partition
from lpa_core.tables.row_layout import DLQ_TABLE, QUARANTINE_TABLE, RAW_TABLE
from lpa_core.tables.table import Table
from lpa_core.testing.simulation.broker import Broker
from lpa_core.testing.simulation.sink import SimulatedDatabase


@final
class Operator:
    """Acts only while the group has no members, as brokers demand."""

    def __init__(self, broker: Broker, database: SimulatedDatabase) -> None:
        self._broker, self._database = broker, database
        self._how = broker.scheduler.random.choice(("metadata", "deleted", "set back"))
        self._tampered = False
        self.violations: list[str] = []
        self.unpublished: set[tuple[int, int]] = set()
        """Partition and offset of rejects that are stored, and in no topic: their range was taken for finished."""

    def may_tamper(self) -> bool:
        """Whether there is something to lose, and none of it was lost yet."""
        commits = self._broker.offsets.values()
        return not self._tampered and (self._how != "metadata" or any(commit.metadata for commit in commits))

    def tamper(self) -> None:
        """Lose the group's offsets, or a part of them."""
        draw, offsets = self._broker.scheduler.random, self._broker.offsets
        self._tampered = True
        for partition, commit in sorted(offsets.items()):
            if draw.random() < 0.3:
                continue
            self._broker.scheduler.trace.append(f"an admin tool: {partition.number} {self._how}")
            self._forget_ranges(partition)
            match self._how:
                case "metadata":
                    offsets[partition] = Commit(commit.offset)
                case "deleted":
                    del offsets[partition]
                case "set back":
                    offsets[partition] = Commit(draw.randint(0, commit.offset))

    def refused(self, failed: Collection[Partition]) -> None:
        """Workers leave these partitions alone: a violation where they had no reason to."""
        for partition in failed:
            if not self._tampered or not self._unexplained(partition):
                self.violations.append(f"{partition} was refused, and what is stored agrees with what is committed")

    def set_right(self) -> None:
        """Do as ``lpa recover offset-loss`` does."""
        for partition in self._broker.log:
            if not self._unexplained(partition):
                continue
            self._forget_ranges(partition)
            whole = {row["source_offset"] for row in self._rows(partition, RAW_TABLE, DLQ_TABLE, QUARANTINE_TABLE)}
            right = self._first_missing(partition, whole)
            for rows in self._database.rows.values():
                rows[:] = [row for row in rows if _place(row) != partition or row["source_offset"] < right]
            self._database.withdrawn -= {
                (where, offset)
                for where, offset in self._database.withdrawn
                if where[1:] == partition and offset >= right
            }
            self._broker.offsets[partition] = Commit(right)
            published = {(record.topic, record.key) for record in self._broker.published}
            self.unpublished |= {
                (partition.number, row["source_offset"])
                for table, topic in ((DLQ_TABLE, "dlq"), (QUARANTINE_TABLE, "quarantine"))
                for row in self._rows(partition, table)
                if (topic, b"%d:%d" % (partition.number, row["source_offset"])) not in published
            }
            self._broker.scheduler.trace.append(f"an operator: [{partition.number}] is right at {right}")

    def _first_missing(self, partition: Partition, whole: Collection[int]) -> int:
        """Of the records before the last that is stored; behind that if none is missing."""
        behind = max(whole, default=-1) + 1
        records = (offset for offset, value in enumerate(self._broker.log[partition][:behind]) if value is not None)
        return next((offset for offset in records if offset not in whole), behind)

    def of_ranges(self) -> Iterator[str]:
        """What is wrong with the ranges that were written and prepared."""
        for partition, start, end in sorted(self._database.written - self._broker.prepared):
            yield f"{partition} {start}-{end} was written and never prepared"
        for one, two in pairwise(sorted(self._database.written)):
            if one[0] == two[0] and two[1] < one[2]:
                yield f"{one[0]}: ranges {one[1]}-{one[2]} and {two[1]}-{two[2]} were both written"

    def _unexplained(self, partition: Partition) -> bool:
        """Whether rows are stored that nothing that is committed explains."""
        commit, first = self._broker.offsets.get(partition), 0
        if commit is not None:
            prepared = decode(partition, commit.metadata)
            first = commit.offset if prepared is None else prepared.range.end
        return bool(self._database.stored_from(partition.topic, {partition.number: first}))

    def _forget_ranges(self, partition: Partition) -> None:
        """From here on its ranges may be others: it is judged by its rows."""
        self.violations += self.of_ranges()
        for ranges in (self._database.written, self._broker.prepared):
            ranges -= {range_ for range_ in ranges if range_[0] == partition}

    def _rows(self, partition: Partition, *tables: Table) -> Iterator[dict[str, Any]]:
        for table in tables:
            yield from (row for row in self._database.rows.get(table.name, ()) if _place(row) == partition)


def _place(row: dict[str, Any]) -> Partition:
    return Partition(row["source_topic"], row["source_partition"])
