"""What a sink must do that can say what it holds: positions, gaps, the time of the newest batch."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from typing import Any

import pytest

from lpa_core.sinks.sink import Sink, StoredOffsets, SupportsKnownGaps, SupportsNewestTime, SupportsStoredOffsets
from lpa_core.tables.known_gaps import KNOWN_GAPS_TABLE, GapReason, OffsetSpan
from lpa_core.tables.table import Block
from lpa_core.testing.sink_suite.place import OTHER_TABLE, TABLE, Contract, Place, block


class StoredOffsetsContract(Contract):
    """For sinks that can say which positions they hold."""

    def located(self, sink: Sink, first: Mapping[int, int], topic: str = "events") -> dict[int, tuple[int, int]]:
        assert isinstance(sink, SupportsStoredOffsets)
        found = sink.stored_from(topic, first)
        assert all(isinstance(offsets, StoredOffsets) for offsets in found.values())
        return {partition: (offsets.lowest, offsets.highest) for partition, offsets in found.items()}

    def test_nothing_is_stored_at_first(self, sink: Sink) -> None:
        assert self.located(sink, {0: 0, 1: 0}) == {}
        assert self.located(sink, {}) == {}

    def test_positions_from_an_offset_on(self, sink: Sink) -> None:
        sink.write(block("t", 10, start=5))
        assert self.located(sink, {0: 0}) == {0: (5, 14)}
        assert self.located(sink, {0: 8}) == {0: (8, 14)}
        assert self.located(sink, {0: 14}) == {0: (14, 14)}
        assert self.located(sink, {0: 15}) == {}

    def test_each_partition_has_a_beginning_of_its_own(self, sink: Sink) -> None:
        for partition in range(4):
            sink.write(block(f"t{partition}", 10, partition=partition))
        sink.write(block("o", 1, topic="other", partition=3, start=50))
        assert self.located(sink, {0: 0, 1: 9, 2: 10, 7: 0}) == {0: (0, 9), 1: (9, 9)}
        assert self.located(sink, {3: 5}, "other") == {3: (50, 50)}
        assert self.located(sink, {0: 0}, "nowhere 'quoted' \\") == {}

    def test_every_table_counts(self, sink: Sink) -> None:
        """A range that was interrupted may have reached some tables only."""
        sink.write(block("t", 3, start=10))
        sink.write(block("u", 3, start=12, table=OTHER_TABLE))
        assert self.located(sink, {0: 0}) == {0: (10, 14)}
        assert self.located(sink, {0: 13}) == {0: (13, 14)}

    def test_large_offsets_and_partitions(self, sink: Sink) -> None:
        sink.write(block("t", 1, partition=2**31 - 1, start=2**63 - 2))
        assert self.located(sink, {2**31 - 1: 2**63 - 2, 0: 0}) == {2**31 - 1: (2**63 - 2, 2**63 - 2)}


class KnownGapsContract(Contract):
    """For sinks that can say which offsets have no records."""

    @pytest.fixture
    def sink(self, place: Place) -> Iterator[Sink]:
        with closing(place.sink()) as sink:
            sink.open([TABLE, OTHER_TABLE, KNOWN_GAPS_TABLE])
            yield sink

    def tell(self, sink: Sink, *gaps: tuple[int, int], partition: int = 0, token: str = "gaps") -> None:
        count, firsts = len(gaps), [first for first, _ in gaps]
        columns: list[Sequence[Any]] = [
            ["events"] * count,
            [partition] * count,
            firsts,
            [behind for _, behind in gaps],
            [GapReason.NO_RECORD.value] * count,
            [time.time_ns() // 1_000_000] * count,
        ]
        sink.write(Block(KNOWN_GAPS_TABLE, "events", partition, firsts, columns, token))

    def known(self, sink: Sink, first: int, behind: int, partition: int = 0, topic: str = "events") -> bool:
        assert isinstance(sink, SupportsKnownGaps)
        return sink.is_gap(topic, partition, OffsetSpan(first, behind))

    def test_only_what_was_told_is_known(self, sink: Sink) -> None:
        assert not self.known(sink, 0, 1)
        self.tell(sink, (10, 12), (20, 30))
        assert self.known(sink, 10, 12)
        assert self.known(sink, 22, 25)
        for first, behind in ((9, 12), (10, 13), (10, 30), (15, 20)):
            assert not self.known(sink, first, behind)
        assert not self.known(sink, 10, 12, partition=1)
        assert not self.known(sink, 10, 12, topic="others")

    def test_gaps_join_and_may_be_told_again(self, sink: Sink) -> None:
        self.tell(sink, (10, 12), token="one")
        self.tell(sink, (11, 15), (15, 20), token="another")
        self.tell(sink, (10, 12), token="one")
        assert self.known(sink, 10, 20)
        assert not self.known(sink, 10, 21)

    def test_known_gaps_are_no_stored_positions(self, sink: Sink) -> None:
        self.tell(sink, (10, 12))
        if isinstance(sink, SupportsStoredOffsets):
            assert sink.stored_from("events", {0: 0}) == {}


class NewestTimeContract(Contract):
    """For sinks that can say when they were written to last."""

    def test_the_newest_batch_time_of_any_table(self, sink: Sink) -> None:
        assert isinstance(sink, SupportsNewestTime)
        assert sink.newest_batch_time() == 0
        before = time.time_ns() // 1_000_000
        sink.write(block("t", 3))
        written = block("u", 1, table=OTHER_TABLE)
        later = list(written.columns)
        later[written.table.column_names.index("ingestion_timestamp")] = [before + 86_400_000]
        sink.write(Block(written.table, written.topic, written.partition, written.offsets, later, written.token))
        assert sink.newest_batch_time() == before + 86_400_000
