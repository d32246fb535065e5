"""What a sink must do whose database checks rows."""

from __future__ import annotations

from typing import Any

import pytest

from lpa_core.sinks.sink import RowsRefused, Sink
from lpa_core.tables.row_layout import LEADING_COLUMNS
from lpa_core.tables.table import Kind
from lpa_core.testing.sink_suite.place import TABLE, ZEROES, Contract, RefusingPlace, Row, block, texts


class RefusalContract(Contract):
    """For sinks that store into something that checks rows."""

    def test_refused_rows_are_named_and_none_is_written(self, place: RefusingPlace, sink: Sink) -> None:
        place.refuse(TABLE, "377")
        with pytest.raises(RowsRefused) as refusal:
            sink.write(block("t", 1000))
        assert (refusal.value.table, list(refusal.value.rows)) == (TABLE.name, [377])
        assert place.rows(TABLE) == []

    def test_one_refused_row_keeps_a_large_block_out(self, place: RefusingPlace, sink: Sink) -> None:
        place.refuse(TABLE, "bad")
        rows = [("x" * 5000, *ZEROES[1:])] * 2000
        with pytest.raises(RowsRefused):
            sink.write(block("t", [*rows, ("bad", *ZEROES[1:])]))
        assert place.rows(TABLE) == []

    def test_the_rest_can_be_written_under_the_same_token(self, place: RefusingPlace, sink: Sink) -> None:
        place.refuse(TABLE, "377")
        with pytest.raises(RowsRefused):
            sink.write(block("t", 1000))
        rest: list[Row] = [(str(i), *ZEROES[1:]) for i in range(1000) if i != 377]
        for _ in range(2):
            sink.write(block("t", rest))
        assert texts(place) == sorted(row[0] for row in rest)

    def test_refused_rows_can_be_written_with_other_values_under_the_same_token(
        self, place: RefusingPlace, sink: Sink
    ) -> None:
        """As rejects are, of which a sink takes only position, size and hash."""
        place.refuse(TABLE, "bad")
        with pytest.raises(RowsRefused):
            sink.write(block("t", [("good", *ZEROES[1:]), ("bad", *ZEROES[1:])]))
        for _ in range(2):
            sink.write(block("t", [("good", *ZEROES[1:]), ("", *ZEROES[1:])]))
        assert texts(place) == ["", "good"]

    def test_first_last_and_neighbours(self, place: RefusingPlace, sink: Sink) -> None:
        place.refuse(TABLE, "bad")
        bad = {0, 41, 42, 99}
        with pytest.raises(RowsRefused) as refusal:
            sink.write(block("t", [("bad" if i in bad else "good", *ZEROES[1:]) for i in range(100)]))
        assert set(refusal.value.rows) == bad

    def test_all_rows(self, place: RefusingPlace, sink: Sink) -> None:
        place.refuse(TABLE, "bad")
        with pytest.raises(RowsRefused) as refusal:
            sink.write(block("t", [("bad", *ZEROES[1:])] * 20))
        assert set(refusal.value.rows) == set(range(20))

    def test_reasons_are_one_line_without_values(self, place: RefusingPlace, sink: Sink) -> None:
        place.refuse(TABLE, "a secret")
        with pytest.raises(RowsRefused) as refusal:
            sink.write(block("t", [("a secret", *ZEROES[1:])]))
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
        rows = [("good", *ZEROES[1:])] * 3
        rows[1] = (*rows[1][:column], value, *rows[1][column + 1 :])
        with pytest.raises(RowsRefused) as refusal:
            sink.write(block("t", rows))
        assert list(refusal.value.rows) == [1]
        assert kind.value in refusal.value.rows[1]
        assert place.rows(TABLE) == []
