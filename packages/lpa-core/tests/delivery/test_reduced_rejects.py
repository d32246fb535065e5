"""A reject whose row a sink refuses is stored without anything of the record, and the stream goes on."""

from __future__ import annotations

import json
import random
from hashlib import sha256
from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lpa_core.dedup.memory import MemoryDedupStore
from lpa_core.delivery.checkpoint import FileCheckpoint, MemoryCheckpoint
from lpa_core.delivery.commit_metadata import MAX_BYTES, MAX_SPAN, decode, encode, fitting
from lpa_core.delivery.consumer_group import Partition
from lpa_core.delivery.ranges import Range
from lpa_core.delivery.run_report import Report
from lpa_core.delivery.source_worker import SourceLimits, SourceWorker, Step, StepListener
from lpa_core.events.registry import BUILTIN_EVENT_TYPES
from lpa_core.kafka.reject_records import reject_record
from lpa_core.pipeline.pipeline import Pipeline
from lpa_core.pipeline.reject_envelope import Rejected, envelope, read_envelope_json, reduced
from lpa_core.records import Position
from lpa_core.sinks.sink import SinkMisconfigured
from lpa_core.tables.row_layout import DLQ_TABLE, QUARANTINE_TABLE, RAW_TABLE
from lpa_core.tables.table import Table
from lpa_core.testing.doubles import MemorySink, MemorySource, SimulatedCrash
from lpa_core.testing.simulation import simulate
from lpa_core.validation.reasons import Failure, FailureClass, Reason, Stage

PIPELINE = Pipeline(BUILTIN_EVENT_TYPES)
TABLES = (*PIPELINE.tables, RAW_TABLE, DLQ_TABLE, QUARANTINE_TABLE)


def trace(number: int, **more: Any) -> bytes:
    data = {"stream_id": f"s{number}", "request_id": "r", "type": "t", **more}
    return json.dumps(
        {"id": f"e{number}", "type": "stream_trace", "timestamp": 1_700_000_000_000, "data": data}
    ).encode()


def refuse_what_says_bad(table: Table, row: dict[str, Any]) -> str | None:
    """Reject tables refuse payloads with ``bad`` in them; the raw table refuses ``worse``, and then they do, too."""
    if table is RAW_TABLE:
        return "worse" if b"worse" in row["raw_json"] else None
    if table in (DLQ_TABLE, QUARANTINE_TABLE):
        return "bad payload" if any(word in row["payload_body"] for word in ("bad", "worse")) else None
    return None


RECORDS: list[bytes | None] = [
    trace(1),
    trace(2, type=None, note="bad"),
    trace(3, note="bad"),
    trace(3, note="bad"),
    trace(4, note="worse"),
    trace(5, type=None),
    b"[1, 2]",
    trace(1),
]
EVENTS, DEAD, QUARANTINED, REDUCED = [0, 2], [1, 4, 5, 6], [3, 7], {1, 3, 4}


@attrs.define
class World:
    sink: MemorySink = attrs.field(factory=lambda: MemorySink(refuse_what_says_bad))
    dedup: MemoryDedupStore = attrs.field(factory=lambda: MemoryDedupStore(86_400_000))
    checkpoint: MemoryCheckpoint = attrs.field(factory=MemoryCheckpoint)

    def run(self, step: int, listener: StepListener = lambda step, range_: None) -> Report:
        self.sink.open(TABLES)
        return SourceWorker(
            MemorySource("topic", RECORDS),
            PIPELINE,
            self.dedup,
            [self.sink],
            self.checkpoint,
            limits=SourceLimits(step, 1 << 40),
            clock=lambda: 1_700_000_000_000,
            listener=listener,
        ).run()

    def offsets(self, table: str) -> list[int]:
        return sorted(row["source_offset"] for row in self.sink.tables[table])


@pytest.mark.parametrize("step", [1, 3, 100])
def test_failure_01_a_refused_reject_is_reduced_and_the_stream_goes_on(step: int) -> None:
    world = World()
    report = world.run(step)
    assert (report.read, report.accepted, report.quarantined) == (8, 2, 2)
    assert world.offsets("streaming_events") == world.offsets("stream_trace_events") == EVENTS
    assert world.offsets("streaming_events_dlq") == DEAD
    assert world.offsets("streaming_events_quarantine") == QUARANTINED
    rejects = [*world.sink.tables["streaming_events_dlq"], *world.sink.tables["streaming_events_quarantine"]]
    assert {row["source_offset"] for row in rejects if row["payload_truncated"]} == REDUCED
    row = next(row for row in rejects if row["source_offset"] == 1)
    payload = RECORDS[1]
    assert payload is not None
    assert (row["failure_class"], row["failure_reason"]) == ("SCHEMA_INVALID", "missing_field")
    assert row["failure_details"] == "only position, size and hash are stored: bad payload"
    assert (row["payload_size"], row["payload_sha256"]) == (len(payload), sha256(payload).hexdigest())
    assert (row["payload_body"], row["event_id"], row["dedup_key"]) == ("", "", None)


@pytest.mark.slow
@settings(max_examples=100)
@given(crashes=st.lists(st.integers(0, 60), max_size=4), step=st.integers(1, 7))
def test_failure_01_killed_anywhere_rejects_are_reduced_once(crashes: list[int], step: int) -> None:
    undisturbed, killed = World(), World()
    undisturbed.run(step)
    for crash in crashes:
        left = crash

        def crashing(at: Step, range_: Range) -> None:
            nonlocal left
            left -= 1
            if left < 0:
                raise SimulatedCrash

        try:
            killed.run(step, crashing)
        except SimulatedCrash:
            continue
    killed.run(step)
    assert killed.sink.comparable() == undisturbed.sink.comparable()


def test_failure_01_what_is_reduced_is_fixed_when_the_range_is_prepared() -> None:
    """Whoever repeats the range reduces the same rejects, though the table would take them whole by now."""
    world = World()

    def crash(step: Step, range_: Range) -> None:
        if step is Step.PREPARED and len(range_.reduced) == len(REDUCED):
            raise SimulatedCrash

    with pytest.raises(SimulatedCrash):
        world.run(100, crash)
    assert world.checkpoint.prepared is not None
    assert set(world.checkpoint.prepared.reduced) == REDUCED
    refuse = world.sink.refuse
    world.sink.refuse = lambda table, row: refuse(table, row) if table is RAW_TABLE else None
    world.run(100)
    rejects = [*world.sink.tables["streaming_events_dlq"], *world.sink.tables["streaming_events_quarantine"]]
    assert {row["source_offset"] for row in rejects if row["payload_truncated"]} == REDUCED


def test_failure_01_a_table_that_refuses_even_reduced_rejects_stops_the_run() -> None:
    world = World(MemorySink(lambda table, row: "no" if table is QUARANTINE_TABLE else None))
    with pytest.raises(SinkMisconfigured, match="streaming_events_quarantine refuses rejects themselves, even if"):
        world.run(100)


def test_failure_01_a_checkpoint_keeps_what_is_reduced_and_says_nothing_of_it_otherwise(tmp_path: Path) -> None:
    plain = Range("topic", 0, 0, 5, 5, "77:abc", 123, {3: "out of range"})
    for range_, said in ((plain, False), (attrs.evolve(plain, reduced={4: "bad payload"}), True)):
        checkpoint = FileCheckpoint(tmp_path, "topic", 0, "chdb:/x")
        checkpoint.prepare(range_)
        checkpoint.close()
        (file,) = tmp_path.glob("*.json")
        assert (b"reduced" in file.read_bytes()) is said
        again = FileCheckpoint(tmp_path, "topic", 0, "chdb:/x")
        assert again.prepared == range_
        again.close()


@pytest.mark.parametrize("few", [True, False])
@pytest.mark.parametrize("seed", [1, 2])
def test_failure_01_reduced_rejects_find_room_in_the_commit_metadata(seed: int, few: bool) -> None:
    """Duplicates, refused events and reduced rejects all over the range, each for a reason of its own."""
    draw = random.Random(seed)
    offsets = list(range(1 << 62, (1 << 62) + MAX_SPAN))
    draw.shuffle(offsets)
    third = MAX_SPAN // 3
    reasons = {offset: f"a reason with some words in it, number {offset}" for offset in offsets}
    range_ = Range(
        topic="events",
        partition=3,
        start=1 << 62,
        end=(1 << 62) + MAX_SPAN,
        count=MAX_SPAN,
        resume="",
        batch_time=1 << 42,
        refused={offset: reasons[offset] for offset in offsets[:third]},
        reduced={offset: reasons[offset] for offset in draw.sample(offsets, 20 if few else MAX_SPAN // 2)},
        duplicates=frozenset(offsets[third : 2 * third]) if not few else frozenset(),
    )
    prepared = fitting(range_, "0123456789abcdef")
    text = encode(prepared, "0123456789abcdef")
    assert len(text.encode()) <= MAX_BYTES
    read = decode(Partition("events", 3), text)
    assert read is not None
    assert read.range.reduced.keys() == prepared.reduced.keys() >= range_.reduced.keys()
    assert (read.range.refused.keys(), read.range.duplicates) == (range_.refused.keys(), range_.duplicates)
    if few:
        assert prepared.reduced.keys() == range_.reduced.keys(), "only as many as must be"


def test_failure_01_metadata_of_version_0_1_0_name_no_reduced_rejects() -> None:
    found = decode(Partition("events", 3), 'lpa1:{"s":5,"e":9,"n":4,"t":1700000000000,"d":"","r":[],"f":"x"}')
    assert found is not None
    assert found.range.reduced == {}


@pytest.mark.slow
def test_failure_01_in_simulated_worlds_refused_rejects_are_reduced_once() -> None:
    wrong = [outcome for outcome in map(simulate, range(1000, 1030)) if outcome.violations]
    assert not wrong, "\n".join(f"seed {outcome.seed}: {outcome.violations}" for outcome in wrong)


def test_failure_01_a_reduced_envelope_travels_through_its_topic() -> None:
    failure = Failure(Stage.SCHEMA_VALIDATION, FailureClass.SCHEMA_INVALID, Reason.MISSING_FIELD, "data.type")
    rejected = Rejected(
        Position("t", 1, 2), failure, b'{"x":"bad"}', event_id="bad", dedup_key="bad", replay_id="\x00", attempt=3
    )
    whole = envelope(rejected, 5, 6, 1_000_000)
    least = reduced(whole, "why")
    record = reject_record(least)
    assert b"bad" not in record.value
    assert record.key == b"t:1:2"
    assert (least.replay_id, least.attempt) == (None, 3)
    assert read_envelope_json(record.value) == least
    kept = reduced(attrs.evolve(whole, replay_id="20260108T192000Z-a1b2c3"), "why")
    assert kept.replay_id == "20260108T192000Z-a1b2c3"
