"""A ClickHouse that fails: what is tried again, how long, and that nothing is stored twice."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest
import structlog
from tenacity import wait_fixed

from lpa_core.sinks.sink import RowsRefused, Sink, SinkMisconfigured, SinkUnavailable
from lpa_core.testing.sink_suite import OTHER_TABLE, TABLE, block
from lpa_sinks.clickhouse.retries import RetryPolicy
from lpa_sinks.testing.http_front import Fault, Front
from lpa_sinks.testing.places import ClickHousePlace


class Waits(list[float]):
    """Seconds that would have been waited."""

    def policy(self, seconds: float | None = None) -> RetryPolicy:
        return RetryPolicy(seconds=seconds, wait=wait_fixed(10), sleep=self.append)


@pytest.fixture
def waits() -> Waits:
    return Waits()


@pytest.fixture
def sink(server: ClickHousePlace, waits: Waits) -> Iterator[Sink]:
    place = ClickHousePlace(server.engine, server.endpoint, waits.policy(seconds=60))
    with closing(place.sink()) as sink:
        sink.open([TABLE, OTHER_TABLE])
        yield sink


INSERT = "INSERT INTO"


@pytest.mark.parametrize(
    "fault",
    [
        Fault(INSERT, 252),
        Fault(INSERT, 241),
        Fault(INSERT, 999, applied=True),
        Fault(INSERT, 159, applied=True),
        Fault(INSERT, status=502),
        Fault(INSERT, status=503, applied=True),
        Fault(INSERT, silent=True),
        Fault(INSERT, silent=True, applied=True),
        Fault(INSERT, 49),
        Fault(INSERT, 49, applied=True),
    ],
    ids=str,
)
def test_a_failed_insert_is_tried_again_and_stored_once(
    server: ClickHousePlace, front: Front, sink: Sink, waits: Waits, fault: Fault
) -> None:
    front.faults += [fault] * 3
    sink.write(block("t", 100))
    assert front.faults == []
    assert waits
    assert len(server.rows(TABLE)) == 100


def test_it_gives_up_after_its_time(server: ClickHousePlace, front: Front, sink: Sink, waits: Waits) -> None:
    front.faults += [Fault(INSERT, 252)] * 100
    with pytest.raises(SinkUnavailable, match=r"write into sink_contract: TOO_MANY_PARTS \(code 252\)") as failure:
        sink.write(block("t", 1))
    assert waits == [10] * 6
    assert "\n" not in str(failure.value)
    assert server.rows(TABLE) == []


def test_the_same_block_can_be_written_after_it_gave_up(server: ClickHousePlace, front: Front, sink: Sink) -> None:
    front.faults += [Fault(INSERT, 252, applied=True)] * 7
    with pytest.raises(SinkUnavailable):
        sink.write(block("t", 5))
    sink.write(block("t", 5))
    assert len(server.rows(TABLE)) == 5


@pytest.mark.slow
def test_without_a_limit_it_goes_on(server: ClickHousePlace, front: Front, waits: Waits) -> None:
    place = ClickHousePlace(server.engine, server.endpoint, waits.policy())
    with closing(place.sink()) as sink:
        sink.open([TABLE])
        front.faults += [Fault(INSERT, 241)] * 500
        sink.write(block("t", 1))
    assert len(waits) == 500
    assert len(server.rows(TABLE)) == 1


def test_an_unknown_error_is_tried_a_few_times_and_named(front: Front, sink: Sink, waits: Waits) -> None:
    front.faults += [Fault(INSERT, 49)] * 100
    with pytest.raises(SinkUnavailable, match="code 49"):
        sink.write(block("t", 1))
    assert len(waits) == 3


@pytest.mark.parametrize("code", [60, 16, 497, 516])
def test_wrong_configuration_is_not_tried_again(front: Front, sink: Sink, waits: Waits, code: int) -> None:
    front.faults.append(Fault(INSERT, code))
    with pytest.raises(SinkMisconfigured, match=f"code {code}"):
        sink.write(block("t", 1))
    assert waits == []


def test_rows_refused_together_but_not_alone_are_no_dead_letters(
    server: ClickHousePlace, front: Front, sink: Sink
) -> None:
    front.faults += [Fault(f"INSERT INTO `{server.endpoint.database}`", 53)] * 100
    with pytest.raises(SinkUnavailable, match=r"TYPE_MISMATCH \(code 53\), although every row could be stored alone"):
        sink.write(block("t", 4))


def test_a_failure_while_refused_rows_are_looked_for_is_tried_again(
    server: ClickHousePlace, front: Front, sink: Sink, waits: Waits
) -> None:
    server.refuse(TABLE, "2")
    front.faults.append(Fault("ignore(*)", 241))
    with pytest.raises(RowsRefused) as refusal:
        sink.write(block("t", 4))
    assert list(refusal.value.rows) == [2]
    assert len(waits) == 1


def test_nothing_is_left_of_the_search_for_refused_rows(server: ClickHousePlace, front: Front, sink: Sink) -> None:
    server.refuse(TABLE, "2")
    with pytest.raises(RowsRefused):
        sink.write(block("t", 4))
    assert not any("CREATE" in statement for statement in front.statements)


def test_withdrawing_is_tried_again(server: ClickHousePlace, front: Front, sink: Sink, waits: Waits) -> None:
    sink.write(block("t", 3))
    front.faults.append(Fault("DELETE FROM", 999, applied=True))
    sink.withdraw(TABLE, "events", 0, [1])
    assert len(waits) == 1
    assert len(server.rows(TABLE)) == 2


def test_every_attempt_is_logged(front: Front, sink: Sink) -> None:
    front.faults += [Fault(INSERT, 252)] * 2
    with structlog.testing.capture_logs() as logged:
        sink.write(block("t", 1))
    assert [entry["reason"] for entry in logged] == ["TOO_MANY_PARTS (code 252)"] * 2
    assert [entry["attempt"] for entry in logged] == [1, 2]


def test_an_insert_asks_nothing_beforehand(front: Front, sink: Sink) -> None:
    front.statements.clear()
    for number in range(3):
        sink.write(block(f"t{number}", 1))
    assert len(front.statements) == 3
    assert all(statement.startswith("INSERT INTO") for statement in front.statements)
