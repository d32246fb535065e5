"""The delivery protocol over stand-ins: each record once, whatever breaks and wherever."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lpa_core.dedup.memory import MemoryDedupStore
from lpa_core.delivery.checkpoint import CheckpointError, FileCheckpoint, MemoryCheckpoint
from lpa_core.delivery.ranges import Range
from lpa_core.delivery.run_report import Report
from lpa_core.delivery.source_worker import SourceLimits, SourceWorker, Step
from lpa_core.events.registry import BUILTIN_EVENT_TYPES
from lpa_core.pipeline.pipeline import Pipeline
from lpa_core.records import RecordBatch
from lpa_core.sinks.sink import SinkMisconfigured
from lpa_core.sources.source import SourceError
from lpa_core.tables.row_layout import DLQ_TABLE, QUARANTINE_TABLE, RAW_TABLE
from lpa_core.tables.table import Table
from lpa_core.testing.doubles import MemorySink, MemorySource, SimulatedCrash

PIPELINE = Pipeline(BUILTIN_EVENT_TYPES)
HOUR = 3_600_000
TABLES = (*PIPELINE.tables, RAW_TABLE, DLQ_TABLE, QUARANTINE_TABLE)


def trace(number: int, **changes: Any) -> bytes:
    data = {"stream_id": f"s{number}", "request_id": "r", "type": "t", **changes}
    return json.dumps(
        {"id": f"e{number}", "type": "stream_trace", "timestamp": 1_700_000_000_000, "data": data}
    ).encode()


class World:
    """What outlives a process: the sink, the dedup store, the checkpoint."""

    def __init__(self, refuse: Callable[[Table, dict[str, Any]], str | None] = lambda table, row: None) -> None:
        self.sink = MemorySink(refuse)
        self.sink.open(TABLES)
        self.dedup = MemoryDedupStore(24 * HOUR)
        self.checkpoints: dict[str, MemoryCheckpoint] = {}
        self.now = 1_700_000_000_000

    def run(
        self,
        values: Sequence[bytes | None],
        *,
        topic: str = "topic",
        step: int = 3,
        listener: Callable[[Step, Range], None] = lambda step, range_: None,
    ) -> Report:
        return SourceWorker(
            MemorySource(topic, values),
            PIPELINE,
            self.dedup,
            [self.sink],
            self.checkpoints.setdefault(topic, MemoryCheckpoint()),
            limits=SourceLimits(step, 1 << 40),
            clock=lambda: self.now,
            listener=listener,
        ).run()

    def rows(self, table: str) -> list[dict[str, Any]]:
        return self.sink.tables[table]


def test_conservation_and_counts() -> None:
    world = World()
    report = world.run([trace(1), b"nope", trace(2), trace(1), None, trace(3)])
    assert (report.read, report.accepted, report.quarantined) == (6, 3, 1)
    assert report.dead_lettered == {
        ("DESERIALIZATION_FAILED", "json_parse_error"): 1,
        ("DESERIALIZATION_FAILED", "null_payload"): 1,
    }
    assert report.rows == {
        "stream_trace_events": 3,
        "streaming_events": 3,
        "streaming_events_dlq": 2,
        "streaming_events_quarantine": 1,
    }
    positions = [
        row["source_offset"]
        for table in ("streaming_events", "streaming_events_dlq", "streaming_events_quarantine")
        for row in world.rows(table)
    ]
    assert sorted(positions) == [0, 1, 2, 3, 4, 5]
    (duplicate,) = world.rows("streaming_events_quarantine")
    assert duplicate["failure_details"] == "first seen at topic[0]@0"
    assert duplicate["dedup_key"] == "e1"


def test_read_again_nothing_is_new_and_under_another_name_all_is_duplicate() -> None:
    world = World()
    values = [trace(n) for n in range(7)]
    assert world.run(values).accepted == 7
    assert world.run(values).read == 0
    assert world.run(values, topic="copy").quarantined == 7
    assert len(world.rows("stream_trace_events")) == 7


def test_e10_e11_without_id_the_payload_is_the_key_and_replay_marks_are_not_part_of_it() -> None:
    status = {
        "type": "ai_stream_status",
        "timestamp": 1_700_000_000_000,
        "data": {"stream_id": "s", "request_id": "r", "pipeline": "p"},
    }
    replayed = {"__replay": True, "__replay_ts": 5, "__replay_id": "x", "__replay_attempt": 1, **status}
    reordered = dict(reversed(list(status.items())))
    world = World()
    report = world.run([json.dumps(value).encode() for value in (status, status, replayed, reordered)])
    assert (report.accepted, report.quarantined) == (1, 3)
    (row,) = world.rows("streaming_events")
    assert (row["id"], row["dedup_strategy"], len(row["dedup_key"])) == ("", "payload_hash", 64)
    marked = [row for row in world.rows("streaming_events_quarantine") if row["replay"]]
    assert [(row["replay_id"], row["attempt"]) for row in marked] == [("x", 1)]


def test_e15_a_key_is_free_again_after_its_ttl() -> None:
    world = World()
    assert world.run([trace(1)], topic="first").accepted == 1
    world.now += 24 * HOUR - 60_000
    assert world.run([trace(1)], topic="second").quarantined == 1
    world.now += 2 * 60_000
    assert world.run([trace(1)], topic="third").accepted == 1


def test_a_reject_does_not_block_its_own_replay() -> None:
    world = World()
    broken = json.dumps({"id": "e1", "type": "stream_trace", "timestamp": 1_700_000_000_000, "data": {}}).encode()
    assert world.run([broken]).accepted == 0
    assert world.run([trace(1)], topic="replay").accepted == 1


RECORDS = [
    *(trace(n) for n in range(4)),
    b"nope",
    trace(2),
    *(trace(n) for n in range(4, 9)),
    trace(0),
    None,
    trace(3),
    trace(9, request_id="refuse me"),
    trace(9),
    trace(10),
]


def refuse_some(table: Table, row: dict[str, Any]) -> str | None:
    """Refuse one event in its typed table, and another in the raw table, when its typed row is stored already."""
    if table is RAW_TABLE and row["id"] == "e6":
        return "too old"
    return "out of range" if row.get("request_id") == "refuse me" else None


@pytest.mark.slow
@settings(max_examples=150)
@given(crashes=st.lists(st.integers(0, 60), max_size=4), step=st.integers(1, 7), last_step=st.integers(1, 20))
def test_killed_anywhere_and_started_again_the_rows_are_those_of_an_undisturbed_run(
    crashes: list[int], step: int, last_step: int
) -> None:
    undisturbed = World()
    undisturbed.run(RECORDS, step=step)
    assert interrupted(World(), crashes, step, last_step).sink.comparable() == undisturbed.sink.comparable()


@pytest.mark.slow
@settings(max_examples=150)
@given(crashes=st.lists(st.integers(0, 60), max_size=4), step=st.integers(1, 7))
def test_so_they_are_where_the_sink_refuses_rows(crashes: list[int], step: int) -> None:
    """With ranges of one size: a duplicate of a refused event is quarantined in its own range, accepted later."""
    undisturbed = World(refuse_some)
    undisturbed.run(RECORDS, step=step)
    assert interrupted(World(refuse_some), crashes, step, step).sink.comparable() == undisturbed.sink.comparable()


def interrupted(world: World, crashes: list[int], step: int, last_step: int) -> World:
    """Run to the end, killed after each of these numbers of steps on the way."""
    for crash in crashes:
        steps = 0

        def crashing(at: Step, range_: Range, crash: int = crash) -> None:
            nonlocal steps
            steps += 1
            if steps > crash:
                raise SimulatedCrash

        world.now += 1000
        with contextlib.suppress(SimulatedCrash):
            world.run(RECORDS, step=step, listener=crashing)
    world.now += 1000
    world.run(RECORDS, step=last_step)
    return world


def test_a_refused_row_is_dead_lettered_alone_and_its_claim_given_back() -> None:
    world = World(refuse_some)
    report = world.run([trace(1), trace(2, request_id="refuse me"), trace(3)], step=10)
    assert (report.accepted, report.dead_lettered) == (2, {("DLQ_SINK_WRITE", "sink_write_failed"): 1})
    (dead,) = world.rows("streaming_events_dlq")
    assert (dead["failure_stage"], dead["failure_details"]) == ("CLICKHOUSE_SINK", "out of range")
    assert (dead["source_offset"], dead["event_id"]) == (1, "e2")
    assert world.run([trace(2)], topic="replay").accepted == 1


def test_what_other_tables_took_of_a_refused_event_is_withdrawn() -> None:
    def refuse_raw(table: Table, row: dict[str, Any]) -> str | None:
        return "too old" if table is RAW_TABLE and row["id"] == "e2" else None

    world = World(refuse_raw)
    world.run([trace(1), trace(2), trace(3)], step=10)
    for table in ("streaming_events", "stream_trace_events"):
        assert [row["source_offset"] for row in world.rows(table)] == [0, 2]
    assert [row["source_offset"] for row in world.rows("streaming_events_dlq")] == [1]


def test_a_table_that_refuses_rejects_stops_the_run() -> None:
    world = World(lambda table, row: "no" if table is DLQ_TABLE else None)
    with pytest.raises(SinkMisconfigured, match="streaming_events_dlq refuses rejects themselves"):
        world.run([b"nope"])


def test_failure_08_a_repeated_range_is_judged_by_the_time_it_was_prepared_with() -> None:
    world = World()
    ahead = trace(1).replace(b"1700000000000", b"1700086400001")
    assert ahead != trace(1)

    def crashing(at: Step, range_: Range) -> None:
        if at is Step.PREPARED:
            raise SimulatedCrash

    with pytest.raises(SimulatedCrash):
        world.run([trace(0), ahead], listener=crashing)
    world.now += 30 * 24 * HOUR
    world.run([trace(0), ahead])
    (rejected,) = world.rows("streaming_events_dlq")
    assert (rejected["failure_reason"], rejected["event_timestamp"]) == ("implausible_timestamp", None)
    assert "(2023-11-14 22:13:20 UTC)" in rejected["failure_details"], "its record's time is the first batch time"
    assert [row["id"] for row in world.rows("streaming_events")] == ["e0"]


def test_a_source_that_changed_under_a_prepared_range_is_refused() -> None:
    world = World()

    def crash(step: Step, range_: Range) -> None:
        if step is Step.PREPARED:
            raise SimulatedCrash

    with pytest.raises(SimulatedCrash):
        world.run([trace(1), trace(2)], listener=crash)
    with pytest.raises(SourceError, match="no longer holds the records 0 to 1"):
        world.run([trace(1)])


def test_a_stopped_run_ends_after_the_range_in_work() -> None:
    world = World()
    worker: SourceWorker

    def stop(step: Step, range_: Range) -> None:
        if step is Step.PREPARED:
            worker.stop()

    worker = SourceWorker(
        MemorySource("topic", [trace(n) for n in range(100)]),
        PIPELINE,
        world.dedup,
        [world.sink],
        MemoryCheckpoint(),
        limits=SourceLimits(10, 1 << 40),
        listener=stop,
    )
    report = worker.run()
    assert 0 < report.read < 100
    assert len(world.rows("streaming_events")) == report.read


def test_each_sink_gets_every_block() -> None:
    world, second = World(), MemorySink()
    second.open(TABLES)
    SourceWorker(
        MemorySource("topic", RECORDS),
        PIPELINE,
        world.dedup,
        [world.sink, second],
        MemoryCheckpoint(),
        limits=SourceLimits(4, 1 << 40),
    ).run()
    assert second.comparable() == world.sink.comparable()


def test_the_archive_is_given_every_record_as_received() -> None:
    class Kept:
        def __init__(self) -> None:
            self.calls: list[str] = []
            self.values: list[bytes | None] = []

        def recover(self) -> None:
            self.calls.append("recover")

        def write(self, batch: RecordBatch, batch_time: int) -> None:
            self.calls.append("write")
            self.values += batch.values

        def flush_due(self, now_ms: int) -> None:
            self.calls.append("flush")

        def close(self) -> None:
            pass

    world, kept = World(), Kept()
    SourceWorker(
        MemorySource("topic", RECORDS),
        PIPELINE,
        world.dedup,
        [world.sink],
        MemoryCheckpoint(),
        limits=SourceLimits(100, 1 << 40),
        archive=kept,
    ).run()
    assert kept.calls == ["recover", "flush", "write"]
    assert kept.values == RECORDS


def test_file_checkpoint_round_trip_lock_and_damage(tmp_path: Path) -> None:
    first = FileCheckpoint(tmp_path, "topic", 0, "chdb:/x")
    range_ = Range("topic", 0, 0, 5, 5, "77:abc", 123, {3: "out of range"})
    first.prepare(range_)
    with pytest.raises(CheckpointError, match="is being ingested by another process"):
        FileCheckpoint(tmp_path, "topic", 0, "chdb:/x")
    other = FileCheckpoint(tmp_path, "topic", 0, "clickhouse:other")
    assert other.prepared is None
    other.close()
    first.close()
    second = FileCheckpoint(tmp_path, "topic", 0, "chdb:/x")
    assert second.prepared == range_
    second.finish(range_)
    second.close()
    third = FileCheckpoint(tmp_path, "topic", 0, "chdb:/x")
    assert (third.prepared, third.progress.offset, third.progress.resume) == (None, 5, "77:abc")
    third.close()
    (file,) = (path for path in tmp_path.glob("topic-0-*.json") if b'"chdb:/x"' in path.read_bytes())
    file.write_text('{"finished": {"offset"')
    with pytest.raises(CheckpointError, match="is damaged"):
        FileCheckpoint(tmp_path, "topic", 0, "chdb:/x")


def test_another_file_of_the_same_name_has_other_tokens() -> None:
    one = Range("events.ndjson", 0, 0, 5, 5, "77:abc", 1)
    other = Range("events.ndjson", 0, 0, 5, 5, "77:def", 1)
    assert one.token(RAW_TABLE) != other.token(RAW_TABLE)
