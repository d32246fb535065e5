"""Records that are read again after the job went back: what is stored of them stays as it is, under any ranges."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial
from itertools import pairwise
from typing import Any, Final

from hypothesis import given, settings
from hypothesis import strategies as st

from lpa_core.delivery.batch_clock import BatchClock
from lpa_core.delivery.group_destination import GroupDestination
from lpa_core.delivery.limits import RejectLimits
from lpa_core.events.registry import BUILTIN_EVENT_TYPES
from lpa_core.kafka.outgoing_records import of_reject
from lpa_core.pipeline.pipeline import Pipeline
from lpa_core.settings.quality import QualitySettings
from lpa_core.tables.ingested import INGESTED_TABLES
from lpa_core.tables.table import Block, Table
from lpa_core.testing.doubles import MemorySink, SimulatedCrash
from lpa_core.validation.ignore_rules import families
from lpa_flink.stages import KeysStage, WriteStage
from lpa_flink.testing.model_of_flink import ModelOfFlink

NOW: Final = 1_768_000_000_000
PIPELINE: Final = Pipeline(BUILTIN_EVENT_TYPES, ignore_rules=families(["webrtc_stats"]))
DATA: Final = {"stream_id": "s", "request_id": "r", "type": "t"}
RECORDS: Final = [
    json.dumps({"id": identity, "type": "stream_trace", "timestamp": NOW, "data": DATA}).encode()
    if identity.isalpha()
    else {"1": b"no JSON", "2": b'{"type":"webrtc_stats","id":"i"}'}[identity]
    for identity in "ab1ac2bd1e"
]
"""Events by their ids, of which some come twice; 1: a dead letter, 2: one that is ignored."""
TABLES: Final = ["stream_trace_events", "streaming_events", "streaming_events_dlq", "streaming_events_quarantine"]

UNLIKE: Final = {"ingestion_timestamp", "failure_details"}
"""Columns in which a repetition differs: when, and what a table said when it refused an event."""


class Sink:
    """A sink in memory, whose process is killed before the block of a table."""

    def __init__(self, refused: int = -1) -> None:
        def refuse(table: Table, row: Mapping[str, Any]) -> str | None:
            return "too long" if (table.name, row["source_offset"]) == ("streaming_events", refused) else None

        self.stored = MemorySink(refuse)
        self.stored.open((*PIPELINE.tables, *INGESTED_TABLES))
        self.killed_before = "never"

    def write(self, block: Block) -> None:
        if block.table.name == self.killed_before:
            raise SimulatedCrash
        self.stored.write(block)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stored, name)

    def run(self, ends: list[int], now: int) -> int:
        """Run a job from the first offset on, by ranges that end so; return how many records it publishes."""
        destination = GroupDestination((self,), partial(of_reject, quality=QualitySettings()))
        job = ModelOfFlink(
            KeysStage(PIPELINE, BatchClock(lambda: now, lambda: 0.0), "rules"),
            lambda: WriteStage(PIPELINE, destination, RejectLimits(), "rules"),
            "events",
        )
        for first, end in pairwise([0, *ends]):
            job.deliver({offset: RECORDS[offset] for offset in range(first, end)}, NOW)
        return len(job.published)


def content(sink: Sink) -> dict[str, Any]:
    """The rows of all tables, but for times and words; of gaps and counts, which go by ranges, what they come to."""
    found: dict[str, Any] = {
        name: sorted(repr(sorted((key, row[key]) for key in row.keys() - UNLIKE)) for row in rows)
        for name, rows in sink.stored.tables.items()
    }
    found["known_gaps"] = sorted(
        {(row["source_offset"], row["next_offset"]) for row in sink.stored.tables["known_gaps"]}
    )
    found["ignored_event_counts"] = sum(row["records"] for row in sink.stored.tables["ignored_event_counts"])
    return found


ends = st.lists(st.integers(1, len(RECORDS) - 1), unique=True, max_size=3).map(
    lambda some: [*sorted(some), len(RECORDS)]
)


@settings(max_examples=20)
@given(ends, ends, st.sampled_from([-1, 1, 4]))
def test_a_second_run_in_other_ranges_changes_nothing_and_publishes_again(
    first: list[int], second: list[int], refused: int
) -> None:
    sink = Sink(refused)
    published = sink.run(first, NOW)
    stored = content(sink)
    assert sink.run(second, NOW + 60_000) == published
    assert content(sink) == stored


@settings(max_examples=30)
@given(ends, ends, st.sampled_from(TABLES), st.sampled_from([-1, 1, 4]))
def test_what_a_killed_run_left_undone_is_added_in_other_ranges(
    first: list[int], second: list[int], killed_before: str, refused: int
) -> None:
    undisturbed, sink = Sink(refused), Sink(refused)
    undisturbed.run(second, NOW)
    sink.killed_before = killed_before
    try:
        sink.run(first, NOW)
    except SimulatedCrash:
        sink.killed_before = "never"
        sink.run(second, NOW + 60_000)
    assert content(sink) == content(undisturbed)


def test_a_range_beyond_what_is_stored_is_not_compared() -> None:
    asked: list[int] = []

    class Asked(Sink):
        def stored_rows(self, topic: str, partition: int, first: int, end: int) -> Any:
            asked.append(first)
            return self.stored.stored_rows(topic, partition, first, end)

    sink = Asked()
    sink.run([4, 10], NOW)
    assert asked == []
    again = Asked()
    again.stored = sink.stored
    again.run([3, 7, 10], NOW + 1)
    assert asked == [0, 3, 7]
