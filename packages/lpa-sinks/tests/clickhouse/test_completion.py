"""Tokens that are remembered without their rows, as a kill inside an insert leaves them, and overtaken workers."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from typing import Any

import pytest

from lpa_core.sinks.sink import SinkUnavailable
from lpa_core.tables.table import Block
from lpa_core.testing.sink_suite import TABLE, block
from lpa_sinks.sink.sink import ClickHouseSink
from lpa_sinks.testing.http_front import Fault, Front
from lpa_sinks.testing.places import ClickHousePlace

BLOCK = block("token", 6)
OFFSET = TABLE.column_names.index("source_offset")


def some(*offsets: int) -> Block:
    """A part of the block, under its token."""
    columns = [[values[offset] for offset in offsets] for values in BLOCK.columns]
    return Block(TABLE, BLOCK.topic, BLOCK.partition, offsets, columns, BLOCK.token)


def offsets(place: ClickHousePlace) -> list[int]:
    return sorted(row[OFFSET] for row in place.rows(TABLE))


@pytest.fixture(params=["embedded", "server"])
def place(request: pytest.FixtureRequest) -> ClickHousePlace:
    place: ClickHousePlace = request.getfixturevalue(request.param)
    return place


@pytest.fixture
def new_sink(server: ClickHousePlace) -> Iterator[Callable[[], ClickHouseSink]]:
    """Makes the sinks of several workers."""
    with ExitStack() as sinks:

        def opened() -> ClickHouseSink:
            sink = server.sink()
            sink.open([TABLE])
            sinks.callback(sink.close)
            return sink

        yield opened


def test_what_a_remembered_token_lost_is_written(place: ClickHousePlace) -> None:
    sink = place.sink()
    sink.open([TABLE])
    sink.write(some(0, 2, 4))
    sink.write(BLOCK)
    assert offsets(place) == [0, 2, 4]  # the token is remembered, rows are missing
    for _ in range(2):
        sink.complete(BLOCK)
        assert offsets(place) == [0, 1, 2, 3, 4, 5]
    assert sorted(place.rows(TABLE)) == sorted(zip(*BLOCK.columns, strict=True))
    sink.close()


@pytest.mark.slow
def test_the_token_of_a_completion_may_be_remembered_without_its_rows_as_well(place: ClickHousePlace) -> None:
    sink = place.sink()
    sink.open([TABLE])
    sink.write(some(0, 1))
    sink.complete(BLOCK)
    for _ in range(3):
        place.engine.command(f"DELETE FROM {place.name(TABLE)} WHERE source_offset > 3 SETTINGS mutations_sync = 2")
        sink.complete(BLOCK)
        assert offsets(place) == [0, 1, 2, 3, 4, 5]
    sink.close()


def test_what_was_withdrawn_is_not_completed(place: ClickHousePlace) -> None:
    sink = place.sink()
    sink.open([TABLE])
    sink.write(some(0, 1, 2))
    sink.withdraw(TABLE, BLOCK.topic, BLOCK.partition, [2, 4])
    sink.withdraw(TABLE, BLOCK.topic, BLOCK.partition + 1, [3])
    sink.complete(BLOCK)
    assert offsets(place) == [0, 1, 3, 5]
    sink.close()


def test_a_worker_that_is_overtaken_while_it_completes_adds_nothing(
    server: ClickHousePlace, new_sink: Callable[[], ClickHouseSink], monkeypatch: pytest.MonkeyPatch
) -> None:
    overtaken, owner = new_sink(), new_sink()
    overtaken.write(some(0, 1, 2))
    command = overtaken._opened.command

    def frozen(statement: str, *args: Any, **options: Any) -> Any:
        owner.withdraw(TABLE, BLOCK.topic, BLOCK.partition, [4])
        owner.complete(some(0, 1, 2, 3, 5))
        return command(statement, *args, **options)

    with monkeypatch.context() as patched:
        patched.setattr(overtaken._opened, "command", frozen)
        overtaken.complete(BLOCK)
    assert offsets(server) == [0, 1, 2, 3, 5]


def test_completions_at_once_add_nothing_twice(
    server: ClickHousePlace, new_sink: Callable[[], ClickHouseSink], front: Front
) -> None:
    one, other = new_sink(), new_sink()
    one.write(some(0, 1))
    front.faults.append(Fault("INSERT INTO", seconds=0.5, silent=True, applied=True))
    slow = threading.Thread(target=lambda: _whatever_comes(lambda: one.complete(BLOCK)))
    slow.start()
    _wait_for(front)
    other.complete(BLOCK)
    slow.join()
    assert offsets(server) == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize("withdrawn", [[2], [0, 1, 2, 3, 4, 5]])
def test_an_insert_under_way_is_waited_for_before_rows_are_withdrawn(
    server: ClickHousePlace, new_sink: Callable[[], ClickHouseSink], front: Front, withdrawn: list[int]
) -> None:
    overtaken, owner = new_sink(), new_sink()
    front.faults.append(Fault("INSERT INTO", seconds=0.5, applied=True, silent=True))
    slow = threading.Thread(target=lambda: _whatever_comes(lambda: overtaken.write(BLOCK)))
    slow.start()
    _wait_for(front)
    owner.withdraw(TABLE, BLOCK.topic, BLOCK.partition, withdrawn)
    slow.join()
    assert offsets(server) == [offset for offset in range(6) if offset not in withdrawn]


def _whatever_comes(action: Callable[[], None]) -> None:
    """Of the overtaken worker's fate nothing is asked."""
    with suppress(SinkUnavailable):
        action()


def _wait_for(front: Front) -> None:
    """Until the statement that is to go wrong has arrived."""
    deadline = time.monotonic() + 10
    while front.faults:
        assert time.monotonic() < deadline
        time.sleep(0.01)
