"""What every sink must do: write a block once, and withdraw positions."""

from __future__ import annotations

import threading
from contextlib import closing
from typing import Any

import pytest

from lpa_core.events.model import MAX_EPOCH_MS, MIN_EPOCH_MS
from lpa_core.sinks.sink import Sink, SinkMisconfigured, SupportsStoredRows, SupportsWithdrawn
from lpa_core.tables.row_layout import LEADING_COLUMNS
from lpa_core.tables.table import Block, Kind, Table
from lpa_core.testing.sink_suite.place import OTHER_TABLE, TABLE, ZEROES, Contract, Place, block, texts


class SinkContract(Contract):
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
            (*(ZEROES[: len(edges)] if nullable else values), *(values if nullable else ZEROES[len(edges) :]))
            for values in zip(*edges, strict=True)
        ]
        sink.write(block("t", rows))
        own = [row[len(LEADING_COLUMNS) :] for row in place.rows(TABLE)]
        assert sorted(own, key=repr) == sorted(rows, key=repr)

    def test_text_may_be_bytes(self, place: Place, sink: Sink) -> None:
        sink.write(block("t", [("ä".encode(), *ZEROES[1:]), (b"", *ZEROES[1:])]))
        assert texts(place) == ["", "ä"]

    def test_a_long_text(self, place: Place, sink: Sink) -> None:
        text = "0123456789abcdef" * 65_536
        sink.write(block("t", [(text, *ZEROES[1:])]))
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
        large = block("t", [(f"{i:0400}", *ZEROES[1:]) for i in range(rows)])
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
