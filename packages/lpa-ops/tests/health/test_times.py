"""Health sees times that cannot be, and times in data that are not believed."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

from lpa_core.events.registry import BUILTIN_EVENT_TYPES
from lpa_core.pipeline.pipeline import Pipeline
from lpa_core.pipeline.verdicts import Accepted
from lpa_core.records import Position
from lpa_core.settings.thresholds import State, Thresholds
from lpa_ops.health.checks import discarded_timestamps, implausible_timestamps
from lpa_ops.testing.checked_database import CheckedDatabase, ok, red

T = 1_767_873_600_000
DAY_MS = 86_400_000


def test_failure_08_dead_letters_of_times_that_cannot_be(day: CheckedDatabase) -> None:
    ok(day, implausible_timestamps.CHECK)
    day.run(
        "INSERT INTO day.streaming_events_dlq (source_topic, source_offset, failure_reason, failure_details) "
        "SELECT 'fault', number, 'implausible_timestamp', 'timestamp 1767873600 is 1970' FROM numbers(100)"
    )
    said = "records have a timestamp that cannot be"
    action = red(day, implausible_timestamps.CHECK, State.CRITICAL, said)
    assert "lpa replay plan --reason implausible_timestamp" in action
    red(day, implausible_timestamps.CHECK, State.CRITICAL, "such as timestamp 1767873600 is 1970")
    day.run("DELETE FROM day.streaming_events_dlq WHERE source_topic = 'fault'")
    ok(day, implausible_timestamps.CHECK)


TRACE = {"stream_id": "s", "request_id": "r", "type": "t"}
STATUS = {"stream_id": "s", "request_id": "r", "pipeline": "p"}
TIMES: list[Any] = [
    T,
    T + 600_000,
    T + 600_001,
    T - DAY_MS - 1,
    T // 1000,
    f"{T // 1000}",
    T / 1000,
    0,
    -5,
    T * 1000,
    7.9,
]
TIMES += ["soon", "1.5", None, True, {}, [], "", f" {T} "]


def test_failure_08_times_in_data_are_counted_as_the_pipeline_counts_them(day: CheckedDatabase) -> None:
    ok(day, discarded_timestamps.CHECK)
    before = day(discarded_timestamps.CHECK).finding.detail
    pipeline = Pipeline(BUILTIN_EVENT_TYPES)
    events = [("stream_trace", {**TRACE, "timestamp": time}) for time in TIMES]
    events += [("ai_stream_status", {**STATUS, "start_time": time}) for time in TIMES]
    events += [("ai_stream_status", {**STATUS, "inference_status": {"last_error_time": time}}) for time in TIMES]
    counted = {"seconds": 0, "skew": 0, "other": 0}
    rows = []
    for offset, (type_, data) in enumerate(events):
        text = json.dumps({"id": f"e{offset}", "type": type_, "timestamp": T, "gateway": "gw-odd", "data": data})
        verdict = pipeline.process(text.encode(), Position("fault", 0, offset))
        assert isinstance(verdict, Accepted)
        for kind in verdict.discarded:
            counted[kind.value] += 1
        encoded = b64encode(text.encode()).decode()
        rows.append(f"('{type_}', {T}, 'gw-odd', base64Decode('{encoded}'), 'fault', {offset})")
    columns = "type, timestamp, gateway, raw_json, source_topic, source_offset"
    day.run(f"INSERT INTO day.streaming_events ({columns}) VALUES {', '.join(rows)}")
    named = ", ".join(f"{count} {kind}" for kind, count in counted.items())
    assert all(counted.values())
    red(
        day,
        discarded_timestamps.CHECK,
        State.CRITICAL,
        f"{named}; most from gateway gw-odd",
        discarded_timestamps_share=Thresholds(0, 0),
    )
    day.run("DELETE FROM day.streaming_events WHERE source_topic = 'fault'")
    assert day(discarded_timestamps.CHECK).finding.detail == before
