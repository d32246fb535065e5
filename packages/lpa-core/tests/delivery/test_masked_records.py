"""What is masked is nowhere in what a worker stores, archives and publishes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import attrs

from lpa_core.dedup.memory import MemoryDedupStore
from lpa_core.delivery.checkpoint import MemoryCheckpoint
from lpa_core.delivery.claims import DedupStores
from lpa_core.delivery.consumer_group import OutgoingRecord, Partition
from lpa_core.delivery.group_destination import GroupDestination
from lpa_core.delivery.group_worker import GroupWorker
from lpa_core.delivery.limits import GroupLimits
from lpa_core.delivery.source_worker import SourceLimits, SourceWorker
from lpa_core.delivery.worker_context import WorkerContext
from lpa_core.events.registry import BUILTIN_EVENT_TYPES
from lpa_core.kafka.reject_records import reject_record
from lpa_core.pipeline.masking import WITHHELD, Masking
from lpa_core.pipeline.pipeline import Pipeline
from lpa_core.pipeline.reject_envelope import RejectEnvelope
from lpa_core.records import RecordBatch
from lpa_core.tables.ignored import IgnoredStore, KeptOfIgnored
from lpa_core.tables.ingested import INGESTED_TABLES
from lpa_core.testing.doubles import MemorySink, MemorySource
from lpa_core.testing.simulation.broker import Broker
from lpa_core.testing.simulation.consumer_group import SimulatedGroup
from lpa_core.testing.simulation.scheduler import Host, Scheduler, SimulatedBackground
from lpa_core.testing.simulation.sink import SimulatedDatabase, SimulatedSink
from lpa_core.validation.ignore_rules import families

SECRET = "203.0.113.9"
NOW = 1_767_900_000_000
PIPELINE = Pipeline(
    BUILTIN_EVENT_TYPES,
    ignore_rules=families(["webrtc_stats"]),
    kept_of_ignored=KeptOfIgnored(IgnoredStore.FULL),
    masking=Masking(["data.client_ip=hash", "data.stream_id=hash"], "a key of at least sixteen"),
)
STORED = ("ignored_events", "stream_trace_events", "streaming_events", "streaming_events_dlq")


def record(identity: str, **more: Any) -> bytes:
    data = {"stream_id": SECRET, "request_id": "r", "type": "t", "client_ip": SECRET}
    event = {"id": identity, "type": "stream_trace", "timestamp": str(NOW), "gateway": "g", "data": data, **more}
    return json.dumps(event).encode()


RECORDS = [
    record("a"),
    record("b", type="webrtc_stats"),
    record("c", type="of_nobody"),
    record("d")[:-20],
    record("a"),
]
"""An event, one that is ignored, a dead letter, what is no JSON, a duplicate."""


@attrs.define
class Archive:
    batches: list[RecordBatch] = attrs.field(factory=list)

    def recover(self) -> None: ...

    def write(self, batch: RecordBatch, batch_time: int) -> None:
        self.batches.append(batch)

    def flush_due(self, now_ms: int) -> None: ...

    def close(self) -> None: ...


def require_masked(tables: dict[str, Sequence[dict[str, Any]]], archive: Archive) -> None:
    for name in STORED:
        assert tables[name], name
    assert SECRET not in str(tables)
    assert str(tables).count("masked:") > 6
    (trace,) = tables["stream_trace_events"]
    assert trace["stream_id"].startswith("masked:")
    archived = [value for batch in archive.batches for value in batch.values]
    assert len(archived) == len(RECORDS)
    assert archived[3] == WITHHELD
    assert SECRET not in str(archived)


def test_from_a_file() -> None:
    sink, archive = MemorySink(), Archive()
    sink.open((*PIPELINE.tables, *INGESTED_TABLES))
    SourceWorker(
        MemorySource("topic", RECORDS),
        PIPELINE,
        MemoryDedupStore(86_400_000),
        [sink],
        MemoryCheckpoint(),
        limits=SourceLimits(10, 1 << 40),
        archive=archive,
        clock=lambda: NOW,
    ).run()
    assert len(sink.tables["streaming_events_quarantine"]) == 1
    require_masked({name: [*rows] for name, rows in sink.tables.items()}, archive)


def test_from_kafka_reject_topics_too() -> None:
    here = Partition("events", 0)
    scheduler = Scheduler(1)
    broker = Broker(scheduler, here.topic, 1, faults=False)
    broker.log[here] += RECORDS
    database, host, archive = SimulatedDatabase(scheduler, lambda raw: False, faults=False), Host("worker"), Archive()
    published: list[bytes] = []

    def publish(reject: RejectEnvelope) -> OutgoingRecord:
        published.append(reject_record(reject).value)
        return OutgoingRecord("dlq", b"", b"")

    worker = GroupWorker(
        lambda: SimulatedGroup(broker, host, "worker", "worker"),
        [here.topic],
        PIPELINE,
        DedupStores(lambda partition: MemoryDedupStore(86_400_000), ttl_ms=86_400_000, shared=False),
        GroupDestination([SimulatedSink(database, host)], publish, archive=archive),
        limits=GroupLimits(max_records=10, max_seconds=0.3),
        context=WorkerContext(background=SimulatedBackground(scheduler, host), clock=lambda: int(scheduler.now * 1000)),
    )
    strand = scheduler.spawn(host, worker.run)
    while not strand.ended:
        scheduler.step()
        assert scheduler.steps < 10_000
        commit = broker.offsets.get(here)
        if commit is not None and commit.offset == len(RECORDS):
            worker.stop()
    assert strand.error is None
    require_masked({name: [*rows] for name, rows in database.rows.items()}, archive)
    assert len(published) == 3
    assert SECRET.encode() not in b"".join(published)
