"""A worker on a log that has offsets without records: it goes on behind them, and writes down what they are."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from lpa_core.dedup.memory import MemoryDedupStore
from lpa_core.delivery.claims import DedupStores
from lpa_core.delivery.consumer_group import OutgoingRecord, Partition
from lpa_core.delivery.group_destination import GroupDestination
from lpa_core.delivery.group_worker import GroupWorker
from lpa_core.delivery.limits import GroupLimits
from lpa_core.delivery.observer import Observer
from lpa_core.delivery.worker_context import WorkerContext
from lpa_core.tables.known_gaps import KNOWN_GAPS_TABLE
from lpa_core.testing.simulation.broker import Broker
from lpa_core.testing.simulation.consumer_group import SimulatedGroup
from lpa_core.testing.simulation.records import PIPELINE, event
from lpa_core.testing.simulation.scheduler import Host, Scheduler, SimulatedBackground
from lpa_core.testing.simulation.sink import SimulatedDatabase, SimulatedSink

HERE = Partition("events", 0)


class Lag(Observer):
    def __init__(self) -> None:
        self.records: list[int] = []

    def lagging(self, partition: Partition, records: int) -> None:
        self.records.append(records)


def log_of(text: str) -> list[bytes | None]:
    """A record for each letter; a dot is an offset without one."""
    return [None if letter == "." else event(f"{letter}{offset}") for offset, letter in enumerate(text)]


@pytest.mark.parametrize(
    ("text", "known"),
    [
        ("abc", []),
        ("abc.", [(3, 4)]),
        ("..a.b", [(0, 2), (3, 4)]),
        ("a.b...cd....", [(1, 2), (3, 6), (8, 12)]),
        ("....", [(0, 4)]),
    ],
)
def test_failure_13_a_worker_goes_on_behind_offsets_without_records(
    text: str, known: Sequence[tuple[int, int]]
) -> None:
    scheduler = Scheduler(1)
    broker = Broker(scheduler, HERE.topic, 1, faults=False)
    broker.log[HERE] += log_of(text)
    database, host, lag = SimulatedDatabase(scheduler, lambda raw: False, faults=False), Host("worker"), Lag()
    worker = GroupWorker(
        lambda: SimulatedGroup(broker, host, "worker", "worker"),
        [HERE.topic],
        PIPELINE,
        DedupStores(lambda partition: MemoryDedupStore(86_400_000), ttl_ms=86_400_000, shared=False),
        GroupDestination([SimulatedSink(database, host)], lambda reject: OutgoingRecord("dlq", b"", b"")),
        limits=GroupLimits(max_records=2, max_seconds=0.3),
        context=WorkerContext(
            observer=lag, background=SimulatedBackground(scheduler, host), clock=lambda: int(scheduler.now * 1000)
        ),
    )
    strand = scheduler.spawn(host, worker.run)
    while not strand.ended:
        scheduler.step()
        assert scheduler.steps < 10_000, f"never came to {len(text)}: {broker.offsets}"
        commit = broker.offsets.get(HERE)
        if commit is not None and commit.offset == len(text) and lag.records[-1:] == [0]:
            worker.stop()
    assert strand.error is None
    rows = database.rows.get(KNOWN_GAPS_TABLE.name, [])
    covered = {offset for row in rows for offset in range(row["source_offset"], row["next_offset"])}
    assert covered == {offset for first, behind in known for offset in range(first, behind)}
    assert {row["source_offset"] for row in database.rows.get("streaming_events", [])} == {
        offset for offset, letter in enumerate(text) if letter != "."
    }
