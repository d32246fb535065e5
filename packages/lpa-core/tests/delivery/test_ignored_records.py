"""Ignored records: no event, no reject, no claim; their offsets are known, and they are counted."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import count
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lpa_core.dedup.memory import MemoryDedupStore
from lpa_core.delivery.checkpoint import MemoryCheckpoint
from lpa_core.delivery.consumer_group import Partition
from lpa_core.delivery.ignored_blocks import MOST_COUNTS, MOST_LABEL_CHARACTERS
from lpa_core.delivery.limits import RejectLimitError, RejectLimits
from lpa_core.delivery.partitions import PartitionState
from lpa_core.delivery.pending_range import PendingRange, build_blocks, claim
from lpa_core.delivery.ranges import Range
from lpa_core.delivery.run_report import Report
from lpa_core.delivery.source_worker import SourceLimits, SourceWorker, Step
from lpa_core.events.registry import BUILTIN_EVENT_TYPES
from lpa_core.pipeline.pipeline import Pipeline
from lpa_core.records import RecordBatch
from lpa_core.sinks.sink import SinkMisconfigured
from lpa_core.tables.ignored import IGNORED_COUNTS_TABLE, IGNORED_EVENTS_TABLE, IgnoredStore, KeptOfIgnored
from lpa_core.tables.ingested import INGESTED_TABLES
from lpa_core.tables.known_gaps import KNOWN_GAPS_TABLE
from lpa_core.testing.doubles import MemorySink, MemorySource, SimulatedCrash
from lpa_core.validation.ignore_rules import BUILTIN_IGNORE_RULES, families

NOW = 1_700_000_000_000
RULES = (*BUILTIN_IGNORE_RULES, *families(["webrtc_stats", "x" * 200]))
PERSONAL = {"ip": "203.0.113.7", "user_agent": "Mozilla", "city": "Oslo"}


def pipeline(store: IgnoredStore = IgnoredStore.NONE, *, archived: bool = True) -> Pipeline:
    return Pipeline(BUILTIN_EVENT_TYPES, ignore_rules=RULES, kept_of_ignored=KeptOfIgnored(store, archived))


def record(letter: str, number: int = 0, **data: Any) -> bytes:
    """g good, d a dead letter, r a repetition of one key, i ignored, a the trace of an app."""
    if letter == "d":
        return b"no JSON"
    if letter == "i":
        return json.dumps({"id": f"i{number}", "type": "webrtc_stats", "timestamp": NOW, "data": data}).encode()
    subtype = "app_x" if letter == "a" else "t"
    identity = "same" if letter == "r" else f"e{number}"
    data = {"stream_id": "s", "request_id": "r", "type": subtype, **data}
    return json.dumps(
        {"id": identity, "type": "stream_trace", "timestamp": NOW, "gateway": "gw", "data": data}
    ).encode()


class KeptRecords:
    """An archive that keeps the batches it is given."""

    def __init__(self) -> None:
        self.batches: list[RecordBatch] = []

    def recover(self) -> None:
        pass

    def write(self, batch: RecordBatch, batch_time: int) -> None:
        self.batches.append(batch)

    def flush_due(self, now_ms: int) -> None:
        pass

    def close(self) -> None:
        pass


class Job:
    """What outlives a process, and runs over it."""

    def __init__(self, sink: MemorySink | None = None, store: IgnoredStore = IgnoredStore.NONE) -> None:
        self.sink = sink or MemorySink()
        self.sink.open((*pipeline().tables, *INGESTED_TABLES))
        self.dedup, self.checkpoint, self.archive = MemoryDedupStore(86_400_000), MemoryCheckpoint(), KeptRecords()
        self.pipeline = pipeline(store)

    def run(self, values: Sequence[bytes], crash_at: int | None = None) -> Report:
        steps = count()

        def listener(step: Step, range_: Range) -> None:
            if next(steps) == crash_at:
                raise SimulatedCrash

        return SourceWorker(
            MemorySource("topic", values),
            self.pipeline,
            self.dedup,
            [self.sink],
            self.checkpoint,
            limits=SourceLimits(4, 1 << 40),
            archive=self.archive,
            clock=lambda: NOW,
            listener=listener,
        ).run()

    def offsets(self, table: str) -> list[int]:
        return [row["source_offset"] for row in self.sink.tables.get(table, ())]

    @property
    def gaps(self) -> list[tuple[int, int, str]]:
        rows = self.sink.tables.get(KNOWN_GAPS_TABLE.name, ())
        return [(row["source_offset"], row["next_offset"], row["reason"]) for row in rows]


def test_they_are_counted_and_their_offsets_are_known() -> None:
    job = Job()
    report = job.run([record(letter, number) for number, letter in enumerate("giiadrra")])
    assert (report.read, report.accepted, report.quarantined, sum(report.dead_lettered.values())) == (8, 2, 1, 1)
    assert report.ignored == {"ignored_event_family": 2, "ignored_stream_trace_non_core_app": 2}
    assert report.as_json()["ignored"] == 4
    assert job.gaps == [(1, 4, "ignored"), (7, 8, "ignored")]
    counted = [
        (row["ignore_reason"], row["event_type"], row["event_subtype"], row["source_offset"], row["records"])
        for row in job.sink.tables[IGNORED_COUNTS_TABLE.name]
    ]
    assert counted == [
        ("ignored_event_family", "webrtc_stats", "", 1, 2),
        ("ignored_stream_trace_non_core_app", "stream_trace", "app_x", 3, 1),
        ("ignored_stream_trace_non_core_app", "stream_trace", "app_x", 7, 1),
    ]
    assert sum(row["bytes"] for row in job.sink.tables[IGNORED_COUNTS_TABLE.name]) == sum(
        len(record(letter, number)) for number, letter in enumerate("giiadrra") if letter in "ia"
    )
    assert not job.offsets(IGNORED_EVENTS_TABLE.name)


def test_an_ignored_record_takes_no_dedup_key() -> None:
    job = Job()
    ignored = json.dumps({"id": "e1", "type": "webrtc_stats"}).encode()
    report = job.run([ignored, record("g", 1), ignored])
    assert (report.accepted, report.quarantined, report.ignored.total()) == (1, 0, 2)


@settings(max_examples=60, deadline=None)
@given(st.text("gdria", min_size=1, max_size=14), st.integers(0, 30))
def test_killed_anywhere_every_offset_is_in_one_place(letters: str, crash_at: int) -> None:
    job = Job()
    values = [record(letter, number) for number, letter in enumerate(letters)]
    try:
        job.run(values, crash_at)
    except SimulatedCrash:
        job.run(values)
    stored = [
        *job.offsets("streaming_events"),
        *job.offsets("streaming_events_dlq"),
        *job.offsets("streaming_events_quarantine"),
        *(offset for first, behind, _ in job.gaps for offset in range(first, behind)),
    ]
    assert sorted(stored) == list(range(len(letters)))
    counted = sum(row["records"] for row in job.sink.tables.get(IGNORED_COUNTS_TABLE.name, ()))
    assert counted == letters.count("i") + letters.count("a")


def range_of(judging: Pipeline, values: Sequence[bytes]) -> PendingRange:
    batch = RecordBatch("events", 0, range(len(values)), values, [NOW] * len(values))
    range_ = Range("events", 0, 0, len(values), len(values), "", NOW)
    pending = PendingRange(batch, judging.judge(batch, NOW), range_)
    claim(pending, MemoryDedupStore(86_400_000))
    build_blocks(pending, judging)
    return pending


def rows(pending: PendingRange, table: str) -> list[dict[str, Any]]:
    for block in pending.blocks:
        if block.table.name == table:
            return [dict(zip(block.table.column_names, row, strict=True)) for row in zip(*block.columns, strict=True)]
    return []


def test_limits_of_rejects_leave_them_out() -> None:
    state, judging = PartitionState(Partition("events", 0)), pipeline()

    def check(limits: RejectLimits, letters: str) -> None:
        limits.check(state, range_of(judging, [record(letter, number) for number, letter in enumerate(letters)]))

    check(RejectLimits(share=0.5), "gdiiiiiii")
    with pytest.raises(RejectLimitError, match="67% of a range"):
        check(RejectLimits(share=0.5), "iiigidid")
    check(RejectLimits(run=2), "gdid")
    with pytest.raises(RejectLimitError, match="3 in a row"):
        check(RejectLimits(run=2), "id")
    check(RejectLimits(share=0.1), "iii")


def test_labels_are_short_and_kinds_of_a_range_limited() -> None:
    values = [
        json.dumps({"type": "stream_trace", "data": {"type": f"app_{number:04}"}}).encode()
        for number in range(MOST_COUNTS + 5)
    ]
    values.append(json.dumps({"type": "x" * 200}).encode())
    counted = rows(range_of(pipeline(), values), IGNORED_COUNTS_TABLE.name)
    assert sum(row["records"] for row in counted) == MOST_COUNTS + 6
    assert len(counted) == MOST_COUNTS + 2, "one more of each reason"
    assert [row["records"] for row in counted if row["event_type"] == "other"] == [5, 1]
    alone = rows(range_of(pipeline(), values[-1:]), IGNORED_COUNTS_TABLE.name)
    assert [len(row["event_type"]) for row in alone] == [MOST_LABEL_CHARACTERS]


def test_a_redacted_record_holds_nothing_personal_at_any_depth() -> None:
    nested = [{"viewer_info": PERSONAL, "kept": [{"client_ip": "203.0.113.7", "n": 1.5}]}]
    value = record("a", 3, user_info=PERSONAL, user_id="u", nested=nested, clientIP="203.0.113.7", host="h")
    (row,) = rows(range_of(pipeline(IgnoredStore.REDACTED), [value]), IGNORED_EVENTS_TABLE.name)
    assert (row["event_id"], row["event_timestamp"], row["gateway"]) == ("e3", NOW, "gw")
    data = json.loads(row["payload"])["data"]
    assert data == {
        "stream_id": "s",
        "request_id": "r",
        "type": "app_x",
        "nested": [{"kept": [{"n": 1.5}]}],
    }
    assert "203.0.113.7" not in json.dumps(row, default=str)
    (row,) = rows(range_of(pipeline(IgnoredStore.FULL), [value]), IGNORED_EVENTS_TABLE.name)
    assert row["payload"] == value.decode()


@pytest.mark.parametrize(
    "value",
    [
        b'{"type": "webrtc_stats", "n": ' + b"9" * 5_000 + b"}",
        b'{"type": "webrtc_stats", "data": ' + b"[" * 900 + b"]" * 900 + b"}",
        b'{"type": "webrtc_stats", "id": {"a": 1}, "timestamp": 1e300, "gateway": []}',
        b'{"type": "webrtc_stats", "data": "' + b"\\u0000" * 400_000 + b'"}',
    ],
)
@pytest.mark.parametrize("store", IgnoredStore)
def test_whatever_a_record_holds_it_can_be_stored(value: bytes, store: IgnoredStore) -> None:
    pending = range_of(pipeline(store), [value])
    assert [row["records"] for row in rows(pending, IGNORED_COUNTS_TABLE.name)] == [1]
    for row in rows(pending, IGNORED_EVENTS_TABLE.name):
        assert len(json.dumps(row)) < 1_000_000
        row["payload"].encode()


def test_an_archive_keeps_them_as_received_or_their_positions_alone() -> None:
    values = [record("g", 0), record("a", 1, user_info=PERSONAL), record("d")]
    job = Job()
    job.run(values)
    assert [value for batch in job.archive.batches for value in batch.values] == values
    job = Job()
    job.pipeline = pipeline(archived=False)
    job.run(values)
    (batch,) = job.archive.batches
    assert list(batch.offsets) == [0, 1, 2]
    assert list(batch.values) == [values[0], None, values[2]]
    assert batch.headers is not None
    assert batch.headers[1] == [("lpa-ignored", b"ignored_stream_trace_non_core_app")]


def test_a_table_that_refuses_counts_stops_the_run() -> None:
    refusing = MemorySink(lambda table, row: "no" if table is IGNORED_COUNTS_TABLE else None)
    with pytest.raises(SinkMisconfigured, match="table ignored_event_counts refuses rows"):
        Job(refusing).run([record("i")])
