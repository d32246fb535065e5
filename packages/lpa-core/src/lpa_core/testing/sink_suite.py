"""What every sink must do, as tests.

Subclass in a test module and say where the sink keeps its rows::

    class TestMySink(SinkContract):
        @pytest.fixture
        def place(self, tmp_path: Path) -> Place: ...

A sink whose database checks rows subclasses RefusalContract too, one whose tables can drift DriftContract, one that
can say which positions it holds StoredOffsetsContract, when it was written to last NewestTimeContract, which offsets
have no records KnownGapsContract, one that takes several ranges at once GatheringContract.

In a ``conftest.py``, ``pytest.register_assert_rewrite("lpa_core.testing.sink_suite")`` makes failures show values.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from typing import Any, Final, Protocol

import pytest

from lpa_core.events.event_type import typed_table
from lpa_core.events.model import MAX_EPOCH_MS, MIN_EPOCH_MS
from lpa_core.sinks.sink import (
    RowsRefused,
    Sink,
    SinkMisconfigured,
    StoredOffsets,
    SupportsGathering,
    SupportsKnownGaps,
    SupportsNewestTime,
    SupportsStoredOffsets,
    SupportsStoredRows,
    SupportsWithdrawn,
)
from lpa_core.tables.known_gaps import KNOWN_GAPS_TABLE, GapReason, OffsetSpan
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

_ZEROES: Final[tuple[Any, ...]] = (
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
    own = [(str(start + i), *_ZEROES[1:]) for i in range(rows)] if isinstance(rows, int) else list(rows)
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


class _Contract:
    @pytest.fixture
    def place(self) -> Any:
        raise NotImplementedError("override the fixture place")

    @pytest.fixture
    def sink(self, place: Place) -> Iterator[Sink]:
        with closing(place.sink()) as sink:
            sink.open([TABLE, OTHER_TABLE])
            yield sink


class SinkContract(_Contract):
    """For every sink."""

    def test_what_was_written_is_there(self, place: Place, sink: Sink) -> None:
        written = block("t", [("ä\U0001f600\n\t'\\", "a label", *range(2, 11), *(None for _ in Kind))])
        sink.write(written)
        assert place.rows(TABLE) == [tuple(column[0] for column in written.columns)]

    @pytest.mark.parametrize("nullable", [False, True])
    def test_edges_of_every_kind(self, place: Place, sink: Sink, nullable: bool) -> None:
        edges: list[tuple[Any, Any]] = [
            ("", "a\x00b"),
            ("", "é" * 1000),
            (-(2**31), 2**31 - 1),
            (-(2**63), 2**63 - 1),
            (0, 2**8 - 1),
            (0, 2**16 - 1),
            (0, 2**32 - 1),
            (0, 2**64 - 1),
            (-(2.0**127), 2.0**-140),
            (-1.7976931348623157e308, 5e-324),
            (MIN_EPOCH_MS, MAX_EPOCH_MS),
        ]
        rows = [
            (*(_ZEROES[: len(edges)] if nullable else values), *(values if nullable else _ZEROES[len(edges) :]))
            for values in zip(*edges, strict=True)
        ]
        sink.write(block("t", rows))
        own = [row[len(LEADING_COLUMNS) :] for row in place.rows(TABLE)]
        assert sorted(own, key=repr) == sorted(rows, key=repr)

    def test_text_may_be_bytes(self, place: Place, sink: Sink) -> None:
        sink.write(block("t", [("ä".encode(), *_ZEROES[1:]), (b"", *_ZEROES[1:])]))
        assert texts(place) == ["", "ä"]

    def test_a_long_text(self, place: Place, sink: Sink) -> None:
        text = "0123456789abcdef" * 65_536
        sink.write(block("t", [(text, *_ZEROES[1:])]))
        assert texts(place) == [text]

    def test_a_block_without_rows(self, place: Place, sink: Sink) -> None:
        sink.write(block("t", 0))
        assert place.rows(TABLE) == []

    def test_a_token_written_again_adds_nothing(self, place: Place, sink: Sink) -> None:
        for _ in range(3):
            sink.write(block("t", 5))
        assert len(place.rows(TABLE)) == 5

    def test_a_token_is_remembered_by_the_next_sink(self, place: Place) -> None:
        for _ in range(2):
            with closing(place.sink()) as sink:
                sink.open([TABLE, OTHER_TABLE])
                sink.write(block("t", 5))
                assert len(place.rows(TABLE)) == 5

    def test_a_token_among_others_is_remembered(self, place: Place, sink: Sink) -> None:
        for number in range(30):
            sink.write(block(f"t{number}", 1, start=number))
        sink.write(block("t0", 1))
        assert len(place.rows(TABLE)) == 30

    def test_another_token_adds_the_same_rows(self, place: Place, sink: Sink) -> None:
        sink.write(block("t", 5))
        sink.write(block("u", 5))
        assert len(place.rows(TABLE)) == 10

    @pytest.mark.parametrize("token", ["a 'quoted' \"one\"", "back\\slash\\", "line\nfeed", "ä?&=%20;--", "t" * 2000])
    def test_any_text_is_a_token(self, place: Place, sink: Sink, token: str) -> None:
        for _ in range(2):
            sink.write(block(token, 1))
            sink.write(block(f"{token}x", 1))
        assert len(place.rows(TABLE)) == 2

    def test_a_large_block_is_written_once(self, place: Place, sink: Sink) -> None:
        rows = 70_000  # more than max_block_size of ClickHouse, 65,409
        large = block("t", [(f"{i:0400}", *_ZEROES[1:]) for i in range(rows)])
        for _ in range(2):
            sink.write(large)
        stored = texts(place)
        assert len(set(stored)) == len(stored) == rows

    def test_rows_far_apart_in_time_are_written_once(self, place: Place, sink: Sink) -> None:
        months = [MIN_EPOCH_MS + i * 31 * 86_400_000 for i in range(120)]
        spread = block("t", len(months))
        spread = Block(TABLE, "events", 0, spread.offsets, [months, *spread.columns[1:]], "t")
        for _ in range(2):
            sink.write(spread)
        assert sorted(row[0] for row in place.rows(TABLE)) == months

    def test_withdrawn_rows_are_gone(self, place: Place, sink: Sink) -> None:
        sink.write(block("t", 10))
        sink.withdraw(TABLE, "events", 0, [3, 4, 99])
        assert texts(place) == [str(i) for i in (0, 1, 2, 5, 6, 7, 8, 9)]

    def test_every_row_of_a_withdrawn_position_is_gone(self, place: Place, sink: Sink) -> None:
        sink.write(block("t", 4, offsets=[7, 7, 8, 7]))
        sink.withdraw(TABLE, "events", 0, [7])
        assert texts(place) == ["2"]

    def test_rows_of_other_positions_and_tables_stay(self, place: Place, sink: Sink) -> None:
        sink.write(block("a", 1))
        sink.write(block("b", 1, topic="other"))
        sink.write(block("c", 1, partition=1))
        sink.write(block("d", 1, table=OTHER_TABLE))
        sink.withdraw(TABLE, "events", 0, [0])
        assert (len(place.rows(TABLE)), len(place.rows(OTHER_TABLE))) == (2, 1)

    def test_withdrawing_what_is_not_there(self, place: Place, sink: Sink) -> None:
        sink.withdraw(TABLE, "events", 0, [1])
        sink.write(block("t", 1))
        sink.withdraw(TABLE, "events", 0, [])
        sink.withdraw(TABLE, "nowhere 'quoted' \\", 5, [0])
        assert len(place.rows(TABLE)) == 1

    def test_withdrawing_many(self, place: Place, sink: Sink) -> None:
        sink.write(block("t", 3000))
        sink.withdraw(TABLE, "events", 0, range(2500))
        assert len(place.rows(TABLE)) == 500

    def test_withdrawn_rows_do_not_come_back_with_their_token(self, place: Place, sink: Sink) -> None:
        sink.write(block("t", 3))
        sink.withdraw(TABLE, "events", 0, [1])
        sink.write(block("t", 3))
        assert texts(place) == ["0", "2"]

    def test_what_was_withdrawn_is_known_if_it_can_be_asked(self, place: Place, sink: Sink) -> None:
        if not isinstance(sink, SupportsWithdrawn):
            return
        sink.write(block("t", 6))
        sink.withdraw(TABLE, "events", 0, [1, 4])
        sink.withdraw(OTHER_TABLE, "events", 0, [3, 4])
        sink.withdraw(TABLE, "events", 1, [2])
        assert sorted(sink.withdrawn("events", 0, 1, 4)) == [1, 3]
        assert sorted(sink.withdrawn("events", 0, 0, 100)) == [1, 3, 4]

    def test_what_is_stored_of_a_range_is_told_if_it_can_be_asked(self, place: Place, sink: Sink) -> None:
        if not isinstance(sink, SupportsStoredRows):
            return
        sink.write(block("a", 6))
        sink.write(block("b", 2, table=OTHER_TABLE))
        sink.write(block("c", 3, partition=1))
        found = sink.stored_rows("events", 0, 1, 4)
        offsets = {name: sorted(times) for name, times in found.batch_times.items()}
        assert offsets == {TABLE.name: [1, 2, 3], OTHER_TABLE.name: [1]}
        assert found.gaps == []

    def test_another_thread_may_use_it(self, place: Place, sink: Sink) -> None:
        thread = threading.Thread(target=lambda: sink.write(block("t", 1)))
        thread.start()
        thread.join()
        assert len(place.rows(TABLE)) == 1

    @pytest.mark.parametrize("name", [TABLE.name, TABLE.name.upper()])
    def test_two_tables_of_one_name_are_refused_when_it_is_opened(self, place: Place, name: str) -> None:
        twin = Table(name, OTHER_TABLE.columns, OTHER_TABLE.order_by)
        with closing(place.sink()) as sink, pytest.raises(SinkMisconfigured, match=name) as complaint:
            sink.open([TABLE, OTHER_TABLE, twin])
        assert "\n" not in str(complaint.value)

    def test_closing_twice_or_unopened(self, place: Place) -> None:
        sink = place.sink()
        sink.close()
        sink = place.sink()
        sink.open([TABLE, OTHER_TABLE])
        sink.close()
        sink.close()


class StoredOffsetsContract(_Contract):
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


class KnownGapsContract(_Contract):
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


class NewestTimeContract(_Contract):
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


class GatheringContract(_Contract):
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
            block(f"t{partition}", [(f"{partition}-{i:0400}", *_ZEROES[1:]) for i in range(5_000)], partition=partition)
            for partition in range(12)
        ]
        gathering.write_together(blocks)
        stored = texts(place)
        assert len(set(stored)) == len(stored) == 60_000


class RefusalContract(_Contract):
    """For sinks that store into something that checks rows."""

    def test_refused_rows_are_named_and_none_is_written(self, place: RefusingPlace, sink: Sink) -> None:
        place.refuse(TABLE, "377")
        with pytest.raises(RowsRefused) as refusal:
            sink.write(block("t", 1000))
        assert (refusal.value.table, list(refusal.value.rows)) == (TABLE.name, [377])
        assert place.rows(TABLE) == []

    def test_one_refused_row_keeps_a_large_block_out(self, place: RefusingPlace, sink: Sink) -> None:
        place.refuse(TABLE, "bad")
        rows = [("x" * 5000, *_ZEROES[1:])] * 2000
        with pytest.raises(RowsRefused):
            sink.write(block("t", [*rows, ("bad", *_ZEROES[1:])]))
        assert place.rows(TABLE) == []

    def test_the_rest_can_be_written_under_the_same_token(self, place: RefusingPlace, sink: Sink) -> None:
        place.refuse(TABLE, "377")
        with pytest.raises(RowsRefused):
            sink.write(block("t", 1000))
        rest: list[Row] = [(str(i), *_ZEROES[1:]) for i in range(1000) if i != 377]
        for _ in range(2):
            sink.write(block("t", rest))
        assert texts(place) == sorted(row[0] for row in rest)

    def test_refused_rows_can_be_written_with_other_values_under_the_same_token(
        self, place: RefusingPlace, sink: Sink
    ) -> None:
        """As rejects are, of which a sink takes only position, size and hash."""
        place.refuse(TABLE, "bad")
        with pytest.raises(RowsRefused):
            sink.write(block("t", [("good", *_ZEROES[1:]), ("bad", *_ZEROES[1:])]))
        for _ in range(2):
            sink.write(block("t", [("good", *_ZEROES[1:]), ("", *_ZEROES[1:])]))
        assert texts(place) == ["", "good"]

    def test_first_last_and_neighbours(self, place: RefusingPlace, sink: Sink) -> None:
        place.refuse(TABLE, "bad")
        bad = {0, 41, 42, 99}
        with pytest.raises(RowsRefused) as refusal:
            sink.write(block("t", [("bad" if i in bad else "good", *_ZEROES[1:]) for i in range(100)]))
        assert set(refusal.value.rows) == bad

    def test_all_rows(self, place: RefusingPlace, sink: Sink) -> None:
        place.refuse(TABLE, "bad")
        with pytest.raises(RowsRefused) as refusal:
            sink.write(block("t", [("bad", *_ZEROES[1:])] * 20))
        assert set(refusal.value.rows) == set(range(20))

    def test_reasons_are_one_line_without_values(self, place: RefusingPlace, sink: Sink) -> None:
        place.refuse(TABLE, "a secret")
        with pytest.raises(RowsRefused) as refusal:
            sink.write(block("t", [("a secret", *_ZEROES[1:])]))
        why = refusal.value.rows[0]
        assert why
        assert "\n" not in why
        assert "secret" not in why
        assert "secret" not in str(refusal.value)

    @pytest.mark.parametrize(
        ("kind", "value"),
        [
            (Kind.TEXT, "\ud800"),
            (Kind.LABEL, "\ud800"),
            (Kind.INT32, 2**31),
            (Kind.INT64, 2**63),
            (Kind.UINT8, 256),
            (Kind.UINT16, -1),
            (Kind.UINT32, 2**32),
            (Kind.UINT64, -1),
            (Kind.FLOAT32, 1e39),
            (Kind.TIMESTAMP, 2**63),
            (Kind.UINT32, None),
            (Kind.TEXT, None),
        ],
    )
    def test_a_value_that_no_column_of_the_kind_can_hold(
        self, place: RefusingPlace, sink: Sink, kind: Kind, value: Any
    ) -> None:
        column = [column.name for column in TABLE.columns].index(kind.value) - len(LEADING_COLUMNS)
        rows = [("good", *_ZEROES[1:])] * 3
        rows[1] = (*rows[1][:column], value, *rows[1][column + 1 :])
        with pytest.raises(RowsRefused) as refusal:
            sink.write(block("t", rows))
        assert list(refusal.value.rows) == [1]
        assert kind.value in refusal.value.rows[1]
        assert place.rows(TABLE) == []


class DriftContract(_Contract):
    """For sinks that store into tables which somebody may change."""

    @pytest.mark.parametrize(
        ("change", "named"),
        [
            (lambda place: place.drop_table(OTHER_TABLE), "sink_contract_other"),
            (lambda place: place.drop_column(TABLE, "uint16"), "uint16"),
            (lambda place: place.change_type(TABLE, "uint32"), "uint32"),
        ],
        ids=["missing table", "missing column", "other type"],
    )
    def test_a_drifted_table_is_named_when_the_sink_is_opened(
        self, place: DriftingPlace, sink: Sink, change: Callable[[DriftingPlace], None], named: str
    ) -> None:
        change(place)
        with closing(place.sink()) as another, pytest.raises(SinkMisconfigured, match=named) as complaint:
            another.open([TABLE, OTHER_TABLE])
        assert "\n" not in str(complaint.value)

    @pytest.mark.parametrize(
        ("change", "named"),
        [
            (lambda place: place.drop_table(TABLE), "sink_contract"),
            (lambda place: place.drop_column(TABLE, "uint16"), "uint16"),
        ],
        ids=["missing table", "missing column"],
    )
    def test_a_table_that_drifts_while_rows_are_written_is_named(
        self, place: DriftingPlace, sink: Sink, change: Callable[[DriftingPlace], None], named: str
    ) -> None:
        sink.write(block("t", 1))
        change(place)
        with pytest.raises(SinkMisconfigured, match=named) as complaint:
            sink.write(block("u", 1))
        assert "\n" not in str(complaint.value)
