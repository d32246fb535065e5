"""What a sink must do that takes several ranges at once."""

from __future__ import annotations

from contextlib import closing

import pytest

from lpa_core.sinks.sink import RowsRefused, Sink, SupportsGathering
from lpa_core.tables.table import Block, Table
from lpa_core.testing.sink_suite.place import OTHER_TABLE, TABLE, ZEROES, Contract, Place, RefusingPlace, block, texts


class GatheringContract(Contract):
    """For sinks that take blocks of several ranges at once, of a database that checks rows."""

    @pytest.fixture
    def gathering(self, sink: Sink) -> SupportsGathering:
        assert isinstance(sink, SupportsGathering)
        assert sink.exclusive
        return sink

    def ranges(self, *partitions: int, table: Table = TABLE) -> list[Block]:
        return [block(f"t{partition}", 10, table=table, partition=partition, start=5) for partition in partitions]

    def test_what_was_written_together_is_there(self, place: Place, gathering: SupportsGathering) -> None:
        blocks = [*self.ranges(0, 1), block("other", 3, topic="other"), block("t7", 0, partition=7), *self.ranges(2)]
        gathering.write_together(blocks)
        gathering.write_together([])
        rows = [row for each in blocks for row in zip(*each.columns, strict=True)]
        assert sorted(place.rows(TABLE)) == sorted(rows)

    def test_completed_in_other_groupings_nothing_comes_twice(self, place: Place, gathering: SupportsGathering) -> None:
        blocks = self.ranges(0, 1, 2, 3)
        gathering.write_together(blocks[:2])
        gathering.write_together(blocks[2:])
        wanted = sorted(place.rows(TABLE))
        for each in (blocks[3], blocks[0], blocks[2], blocks[1]):
            gathering.complete(each)
        assert sorted(place.rows(TABLE)) == wanted

    def test_the_next_sink_completes_what_was_not_written(self, place: Place, gathering: SupportsGathering) -> None:
        blocks = self.ranges(0, 1, 2)
        gathering.write_together(blocks[:2])
        with closing(place.sink()) as sink:
            sink.open([TABLE, OTHER_TABLE])
            assert isinstance(sink, SupportsGathering)
            for each in reversed(blocks):
                sink.complete(each)
            sink.write_together(self.ranges(3, 4))
        rows = [row for each in blocks for row in zip(*each.columns, strict=True)]
        assert len(place.rows(TABLE)) == 50
        assert set(rows) <= set(place.rows(TABLE))

    def test_each_table_is_written_for_itself(self, place: Place, gathering: SupportsGathering) -> None:
        gathering.write_together(self.ranges(0, 1))
        gathering.write_together(self.ranges(0, 1, table=OTHER_TABLE))
        assert (len(place.rows(TABLE)), len(place.rows(OTHER_TABLE))) == (20, 20)

    def test_rows_that_are_refused_together_are_found_by_completing(
        self, place: RefusingPlace, gathering: SupportsGathering
    ) -> None:
        place.refuse(TABLE, "12")
        blocks = [*self.ranges(0, 1), block("t2", 3, partition=2)]
        with pytest.raises(RowsRefused):
            gathering.write_together(blocks)
        gathering.complete(blocks[2])
        for each in blocks[:2]:
            with pytest.raises(RowsRefused) as refusal:
                gathering.complete(each)
            assert list(refusal.value.rows) == [7]
        assert texts(place) == ["0", "1", "2"]

    def test_what_was_withdrawn_does_not_come_back(self, place: Place, gathering: SupportsGathering) -> None:
        blocks = self.ranges(0, 1)
        gathering.write_together(blocks)
        gathering.withdraw(TABLE, "events", 1, [8])
        for each in blocks:
            gathering.complete(each)
        assert len(place.rows(TABLE)) == 19

    def test_many_rows_together(self, place: Place, gathering: SupportsGathering) -> None:
        blocks = [
            block(f"t{partition}", [(f"{partition}-{i:0400}", *ZEROES[1:]) for i in range(5_000)], partition=partition)
            for partition in range(12)
        ]
        gathering.write_together(blocks)
        stored = texts(place)
        assert len(set(stored)) == len(stored) == 60_000
