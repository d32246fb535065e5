"""What a sink must do whose tables somebody may change."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing

import pytest

from lpa_core.sinks.sink import Sink, SinkMisconfigured
from lpa_core.testing.sink_suite.place import OTHER_TABLE, TABLE, Contract, DriftingPlace, block


class DriftContract(Contract):
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
