"""The stages of the Flink job: they make what the worker makes, and nothing twice after a restore."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import partial
from itertools import count
from typing import Any, final

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lpa_core.dedup.memory import MemoryDedupStore
from lpa_core.delivery.batch_clock import BatchClock
from lpa_core.delivery.checkpoint import MemoryCheckpoint
from lpa_core.delivery.group_destination import GroupDestination
from lpa_core.delivery.limits import RejectLimitError, RejectLimits
from lpa_core.delivery.source_worker import SourceLimits, SourceWorker
from lpa_core.errors import LpaError
from lpa_core.events.registry import BUILTIN_EVENT_TYPES
from lpa_core.kafka.outgoing_records import of_reject, of_touches
from lpa_core.orgs import TopicOrgs
from lpa_core.pipeline.masking import Masking
from lpa_core.pipeline.pipeline import Pipeline
from lpa_core.settings.loading import SettingsError
from lpa_core.settings.quality import QualitySettings
from lpa_core.sinks.sink import SinkMisconfigured, SinkUnavailable, StoredKeys
from lpa_core.tables.ingested import INGESTED_TABLES
from lpa_core.tables.row_layout import DLQ_TABLE
from lpa_core.tables.table import Block, Table
from lpa_core.testing.doubles import MemorySink, MemorySource, SimulatedCrash
from lpa_core.testing.mutations import mutated_records
from lpa_core.validation.ignore_rules import families
from lpa_flink.stage_assembly import Opened
from lpa_flink.stages import KeysStage, WriteStage
from lpa_flink.testing.model_of_flink import ModelOfFlink

NOW = 1_768_000_000_000
TOPIC = "events"
QUALITY = QualitySettings()
STOP = b"\x01\x01"

Refuse = Callable[[Table, dict[str, Any]], str | None]


def event(number: int, **changes: Any) -> bytes:
    data = {"stream_id": f"s{number}", "request_id": "r", "type": "t"}
    return json.dumps({"id": f"e{number}", "type": "stream_trace", "timestamp": NOW, "data": data, **changes}).encode()


@final
class CrashingSink:
    """Passes all on to a sink, and crashes or fails instead of the block of a table, once."""

    def __init__(self, sink: MemorySink) -> None:
        self._sink = sink
        self.crash_at: tuple[str, BaseException] | None = None

    def write(self, block: Block) -> None:
        if self.crash_at is not None and block.table.name == self.crash_at[0]:
            (_, error), self.crash_at = self.crash_at, None
            raise error
        self._sink.write(block)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sink, name)


@attrs.define
class Place:
    """A job over a sink in memory."""

    pipeline: Pipeline = attrs.field(factory=lambda: Pipeline(BUILTIN_EVENT_TYPES))
    refuse: Refuse = lambda table, row: None
    limits: RejectLimits = attrs.field(factory=RejectLimits)
    fingerprint: str = "rules"
    topic: str = TOPIC
    sink: MemorySink = attrs.field(init=False)
    crashing: CrashingSink = attrs.field(init=False)
    job: ModelOfFlink = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.sink = MemorySink(self.refuse)
        self.sink.open((*self.pipeline.tables, *INGESTED_TABLES))
        self.crashing = CrashingSink(self.sink)
        keys = KeysStage(self.pipeline, BatchClock(lambda: NOW, lambda: 0.0), "rules")
        self.job = ModelOfFlink(keys, self.write_stage, self.topic)

    def write_stage(self) -> WriteStage:
        destination = GroupDestination(
            (self.crashing,), partial(of_reject, quality=QUALITY), announce=partial(of_touches, quality=QUALITY)
        )
        return WriteStage(self.pipeline, destination, self.limits, self.fingerprint, with_headers=True)

    def rows(self, table: str) -> list[dict[str, Any]]:
        return self.sink.tables[table]

    def offsets(self, table: str) -> list[int]:
        return sorted(row["source_offset"] for row in self.rows(table))


def numbered(*values: bytes | None) -> dict[int, bytes | None]:
    return dict(enumerate(values))


def of_worker(pipeline: Pipeline, values: Sequence[bytes | None], records: int) -> MemorySink:
    sink = MemorySink()
    sink.open((*pipeline.tables, *INGESTED_TABLES))
    SourceWorker(
        MemorySource(TOPIC, values, [NOW] * len(values)),
        pipeline,
        MemoryDedupStore(86_400_000),
        [sink],
        MemoryCheckpoint(),
        limits=SourceLimits(records, 1 << 40),
        clock=lambda: NOW,
    ).run()
    return sink


@settings(max_examples=15)
@given(st.integers(0, 10_000), st.integers(1, 40))
def test_rows_and_rejects_of_any_batch_are_those_that_a_worker_makes(seed: int, records: int) -> None:
    pipeline = Pipeline(BUILTIN_EVENT_TYPES, ignore_rules=families(["webrtc_stats"]))
    values = [*mutated_records(40, seed, whole=0.3), b'{"type":"webrtc_stats","id":"i"}', None, b"\xff", event(1)]
    values += [values[0], event(1)]
    place = Place(pipeline)
    at = count(0, records)
    while (first := next(at)) < len(values):
        some = range(first, min(first + records, len(values)))
        place.job.deliver({offset: values[offset] for offset in some}, NOW)
    assert place.sink.comparable() == of_worker(pipeline, values, records).comparable()


def test_rejects_and_touched_sessions_are_published() -> None:
    place = Place()
    place.job.deliver(numbered(event(1), b"no JSON", event(1)))
    topics = [QUALITY.dlq_topic, QUALITY.quarantine_topic, QUALITY.touched_topic]
    assert [sum(topic.encode() in frame for frame in place.job.published) for topic in topics] == [1, 1, 1]


def test_a_reject_keeps_the_traceparent_of_its_record() -> None:
    place = Place()
    traceparent = b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    frame = place.job.read(numbered(b"no JSON"), headers=[("traceparent", traceparent)])
    (record,) = place.job.write(frame)
    assert traceparent in record
    assert place.rows("streaming_events_dlq")[0]["traceparent"] == traceparent.decode()


def test_a_range_that_is_repeated_stores_nothing_twice_and_is_published_again() -> None:
    place = Place()
    frame = place.job.read(numbered(event(1), b"no JSON", event(1), None))
    published = place.job.write(frame)
    stored = place.sink.comparable()
    assert place.job.restore(frame) == published
    assert place.sink.comparable() == stored


@pytest.mark.parametrize("table", ["stream_trace_events", "streaming_events", "streaming_events_dlq"])
def test_a_range_is_completed_after_a_crash_before_any_of_its_blocks(table: str) -> None:
    place, undisturbed = Place(), Place()
    undisturbed.job.deliver(numbered(event(1), b"no JSON", event(1)))
    frame = place.job.read(numbered(event(1), b"no JSON", event(1)))
    place.crashing.crash_at = (table, SimulatedCrash())
    with pytest.raises(SimulatedCrash):
        place.job.write(frame)
    assert len(place.job.restore(frame)) == 3
    assert place.sink.comparable() == undisturbed.sink.comparable()


def refuse_second(table: Table, row: dict[str, Any]) -> str | None:
    return "too long" if table.name == "streaming_events" and row["source_offset"] == 1 else None


def test_an_event_that_a_table_refuses_is_a_dead_letter() -> None:
    place = Place(refuse=refuse_second)
    published = place.job.deliver(numbered(event(1), event(2)))
    assert place.offsets("streaming_events") == place.offsets("stream_trace_events") == [0]
    assert place.offsets("streaming_events_dlq") == [1]
    assert sum(QUALITY.dlq_topic.encode() in frame for frame in published) == 1


def test_a_refusal_is_known_after_a_crash_even_if_the_table_would_take_the_event_now() -> None:
    place = Place(refuse=refuse_second)
    frame = place.job.read(numbered(event(1), event(2)))
    place.crashing.crash_at = (DLQ_TABLE.name, SimulatedCrash())
    with pytest.raises(SimulatedCrash):
        place.job.write(frame)
    place.sink.refuse = lambda table, row: None
    published = place.job.restore(frame)
    assert place.offsets("streaming_events") == place.offsets("stream_trace_events") == [0]
    assert place.offsets("streaming_events_dlq") == [1]
    assert sum(QUALITY.dlq_topic.encode() in each for each in published) == 1


def test_too_many_dead_letters_end_the_job_before_any_is_stored() -> None:
    place = Place(limits=RejectLimits(run=2))
    with pytest.raises(RejectLimitError, match="QUALITY_REJECT_LIMIT_CONSECUTIVE"):
        place.job.deliver(numbered(b"1", b"2", b"3"))
    assert place.rows("streaming_events_dlq") == []


def test_dead_letters_in_a_row_are_counted_over_ranges() -> None:
    place = Place(limits=RejectLimits(run=2))
    place.job.deliver({0: b"1", 1: b"2"})
    with pytest.raises(RejectLimitError):
        place.job.deliver({2: b"3"})


def test_a_sink_that_is_away_fails_the_task_and_one_that_is_wrong_ends_the_job() -> None:
    place = Place()
    frame = place.job.read(numbered(event(1)))
    stage = Opened(place.write_stage)
    place.crashing.crash_at = ("streaming_events", SinkUnavailable("away"))
    with pytest.raises(SinkUnavailable):
        list(stage(frame))
    place.crashing.crash_at = ("streaming_events", SinkMisconfigured("streaming_events: no such table"))
    (stop,) = stage(frame)
    assert stop == STOP + b"\x00\x00\x00\x1fstreaming_events: no such table"


@pytest.mark.parametrize("error", [SinkMisconfigured("a wrong password"), SettingsError("QUALITY_ORG=?")])
def test_a_stage_that_cannot_be_put_together_ends_the_job(error: LpaError) -> None:
    def assemble() -> WriteStage:
        raise error

    (stop,) = Opened(assemble)(b"")
    assert stop == STOP + len(str(error)).to_bytes(4, "big") + str(error).encode()


def test_a_stage_that_could_not_reach_its_sink_is_put_together_at_the_next_frame() -> None:
    place = Place()
    away = [SinkUnavailable("away")]

    def assemble() -> WriteStage:
        if away:
            raise away.pop()
        return place.write_stage()

    stage = Opened(assemble)
    frame = place.job.read(numbered(event(1)))
    with pytest.raises(SinkUnavailable):
        list(stage(frame))
    list(stage(frame))
    assert place.offsets("streaming_events") == [0]


def test_what_is_masked_never_comes_to_the_gate() -> None:
    masked = Pipeline(BUILTIN_EVENT_TYPES, masking=Masking(("data.client_info",), "a key of some length"))
    place = Place(masked)
    value = event(1, data={"stream_id": "s", "request_id": "r", "type": "t", "client_info": "203.0.113.7"})
    frame = place.job.read(numbered(value, None, b"no JSON"))
    assert b"203.0.113.7" not in frame
    place.job.write(frame)
    assert b"203.0.113.7" not in place.rows("streaming_events")[0]["raw_json"]
    assert len(place.rows("streaming_events_dlq")) == 2


def test_equal_ids_of_two_orgs_are_two_events() -> None:
    pipeline = Pipeline(BUILTIN_EVENT_TYPES, orgs=TopicOrgs({"of-a": "a"}))
    place = Place(pipeline, topic="of-a")
    place.job.deliver(numbered(event(1), event(1)))
    assert [row["org"] for row in place.rows("streaming_events")] == ["a"]
    assert [row["org"] for row in place.rows("streaming_events_quarantine")] == ["a"]
    assert list(place.job._owners) == ["a\x1fe1"]


def test_offsets_without_a_record_are_known_gaps_between_ranges_too() -> None:
    place = Place()
    place.job.deliver({3: event(1), 6: event(2)})
    place.job.deliver({9: event(3)})
    gaps = [(row["source_offset"], row["next_offset"], row["reason"]) for row in place.rows("known_gaps")]
    assert gaps == [(4, 6, "no_record"), (7, 9, "no_record")]


def test_what_a_worker_stored_before_is_found_again_once_a_partition() -> None:
    asked: list[tuple[str, int]] = []

    def stored_claims(topic: str, partition: int) -> list[StoredKeys]:
        asked.append((topic, partition))
        return [StoredKeys(NOW, ["e1", "e2"], [3, 5]), StoredKeys(NOW, ["e3"], [7])]

    place = Place()
    clock = BatchClock(lambda: NOW, lambda: 0.0)
    keys = KeysStage(place.pipeline, clock, "rules", stored_claims)
    place.job = ModelOfFlink(keys, place.write_stage, TOPIC)
    place.job.deliver({8: event(2), 9: event(4)})
    place.job.deliver({10: event(3), 11: event(1)})
    assert asked == [(TOPIC, 0)]
    assert place.offsets("streaming_events") == [9]
    details = [row["failure_details"] for row in place.rows("streaming_events_quarantine")]
    assert details == [f"first seen at {TOPIC}[0]@{offset}" for offset in (5, 7, 3)]


def test_ignored_records_are_counted_at_their_offsets() -> None:
    place = Place(Pipeline(BUILTIN_EVENT_TYPES, ignore_rules=families(["webrtc_stats"])))
    place.job.deliver(numbered(event(1), b'{"type":"webrtc_stats","id":"i"}', event(2)))
    gaps = [(row["source_offset"], row["next_offset"], row["reason"]) for row in place.rows("known_gaps")]
    assert gaps == [(1, 2, "ignored")]
    assert [row["records"] for row in place.rows("ignored_event_counts")] == [1]
    assert place.rows("streaming_events_dlq") == []


def test_other_rules_are_told_of_when_a_range_is_repeated(capsys: pytest.CaptureFixture[str]) -> None:
    place = Place(fingerprint="other rules")
    frame = place.job.read(numbered(event(1)))
    place.job.write(frame)
    assert "other rules" not in capsys.readouterr().out
    place.job.restore(frame)
    assert "judged again by other rules" in capsys.readouterr().out


def test_nothing_is_judged_while_the_clock_is_wrong() -> None:
    times = iter([5, 6, NOW])
    slept: list[float] = []
    clock = BatchClock(lambda: next(times), lambda: 0.0, earliest=NOW)
    keys = KeysStage(Pipeline(BUILTIN_EVENT_TYPES), clock, "rules", sleep=slept.append)
    job = ModelOfFlink(keys, Place().write_stage, TOPIC)
    job.read(numbered(event(1)))
    assert len(slept) == 1


def test_a_frame_of_another_version_ends_the_job() -> None:
    keys = KeysStage(Pipeline(BUILTIN_EVENT_TYPES), BatchClock(lambda: NOW, lambda: 0.0), "rules")
    for stage in (Place().write_stage(), keys):
        (stop,) = Opened(lambda stage=stage: stage)(b"\x07")
        assert stop.startswith(STOP)
