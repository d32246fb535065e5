"""Generated events: exact numbers, the same bytes for the same seed, and streams that could have been."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tracemalloc
from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import islice, pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lpa_core.events.registry import BUILTIN_EVENT_TYPES
from lpa_core.generate import generate
from lpa_core.generate.live import live
from lpa_core.generate.mixture import Mixture
from lpa_core.generate.pace import paced
from lpa_core.pipeline.pipeline import Pipeline
from lpa_core.pipeline.reject_envelope import Rejected
from lpa_core.pipeline.verdicts import Ignored
from lpa_core.records import Position
from lpa_core.settings.settings import Settings
from lpa_core.validation.ignore_rules import BUILTIN_IGNORE_RULES, families

TYPES = {
    "ai_stream_status": ["data.stream_id", "data.request_id", "data.pipeline"],
    "stream_ingest_metrics": ["data.stream_id", "data.request_id"],
    "stream_trace": ["id", "data.stream_id", "data.request_id", "data.type"],
    "network_capabilities": ["data"],
    "ai_stream_events": ["data.stream_id", "data.request_id", "data.type"],
    "discovery_results": ["data"],
    "create_new_payment": [
        f"data.{name}"
        for name in (
            "sessionID",
            "manifestID",
            "sender",
            "recipient",
            "orchestrator",
            "faceValue",
            "numTickets",
            "price",
            "winProb",
        )
    ],
}
"""Required paths, as docs/spec/events.md section 3 lists them."""


def problem(record: bytes) -> str | None:
    """Why a record is to be rejected, by the words of docs/spec/events.md section 4; None for a valid one."""
    try:
        event = json.loads(record.decode())
    except ValueError:
        return "json_parse_error"
    if not isinstance(event, dict):
        return "root_not_object"
    if not isinstance(event.get("type"), str):
        return "missing_type"
    if not isinstance(moment := event.get("timestamp"), str) or not moment.isdigit():
        return "missing_timestamp"
    if "data" not in event:
        return "missing_data"
    if event["type"] not in TYPES:
        return "unsupported_event_type"
    if str(event.get("version", "1")) not in ("1", "v1"):
        return "unsupported_version"
    for path in TYPES[event["type"]]:
        if field(event, path) in (None, ""):
            return f"missing_field {event['type']} {path}"
    if event["type"] == "discovery_results" and not (isinstance(event["data"], list) and event["data"]):
        return "empty_array"
    if event["type"] == "network_capabilities" and not isinstance(event["data"], list | dict):
        return "invalid_data_shape"
    return None


def field(event: Any, path: str) -> Any:
    for name in path.split("."):
        event = event.get(name) if isinstance(event, dict) else None
    return event


def whole(events: int, sessions: int = 20, seed: int = 7, **shares: float) -> list[bytes]:
    shares = {"duplicates": 0.0, "bad": 0.0} | shares
    return list(generate(events, duplicates=shares["duplicates"], bad=shares["bad"], sessions=sessions, seed=seed))


def decoded(records: list[bytes]) -> list[dict[str, Any]]:
    return [json.loads(record) for record in records]


def by_session(records: list[bytes]) -> dict[str, list[dict[str, Any]]]:
    found = defaultdict(list)
    for event in decoded(records):
        if isinstance(event["data"], dict) and "stream_id" in event["data"]:
            found[event["data"]["stream_id"] + "|" + event["data"]["request_id"]].append(event)
    for events in found.values():
        events.sort(key=moment)
    return found


def moment(event: dict[str, Any]) -> int:
    return int(event["timestamp"])


def announced(event: dict[str, Any]) -> list[dict[str, Any]]:
    """The orchestrators that an event announces: an array of them, or one."""
    if event["type"] != "network_capabilities":
        return []
    return event["data"] if isinstance(event["data"], list) else [event["data"]]


def traces(events: list[dict[str, Any]]) -> list[str]:
    return [event["data"]["type"] for event in events if event["type"] == "stream_trace"]


@given(
    events=st.integers(0, 400),
    duplicates=st.floats(0, 0.3),
    bad=st.floats(0, 0.2),
    sessions=st.integers(1, 40),
    seed=st.integers(0, 2**64),
)
@settings(max_examples=60, deadline=None)
def test_numbers_are_exact(events: int, duplicates: float, bad: float, sessions: int, seed: int) -> None:
    seen: set[bytes] = set()
    counts = Counter[str]()
    for record in generate(events, duplicates=duplicates, bad=bad, sessions=sessions, seed=seed):
        assert b"\n" not in record
        if problem(record):
            counts["bad"] += 1
        elif record in seen:
            counts["duplicate"] += 1
        else:
            counts["valid"] += 1
            seen.add(record)
    expected = {"bad": round(events * bad), "duplicate": round(events * duplicates)}
    assert counts == Counter(expected | {"valid": events - sum(expected.values())})


def test_the_pipeline_agrees_on_what_is_bad() -> None:
    pipeline = Pipeline(BUILTIN_EVENT_TYPES)
    keys = Counter[str]()
    for offset, record in enumerate(whole(4000, bad=0.1)):
        verdict = pipeline.process(record, Position("topic", 0, offset))
        expected = problem(record)
        if isinstance(verdict, Rejected):
            assert expected is not None
            assert verdict.failure.reason.value == expected.split(" ")[0], record
        else:
            assert expected is None, record
            assert verdict.unfit == 0
            keys[verdict.dedup_key] += 1
    assert set(keys.values()) == {1}


def test_bad_records_cover_every_reason_and_every_required_field() -> None:
    found = {problem(record) for record in whole(100, bad=1.0)}
    missing = {f"missing_field {name} {path}" for name, paths in TYPES.items() for path in paths}
    assert found == missing | {
        "json_parse_error",
        "root_not_object",
        "missing_type",
        "missing_timestamp",
        "missing_data",
        "unsupported_event_type",
        "unsupported_version",
        "empty_array",
        "invalid_data_shape",
    }


def test_the_same_arguments_give_the_same_bytes_in_every_process() -> None:
    program = (
        "import hashlib; from lpa_core.generate import generate; "
        "records = generate(3000, duplicates=0.1, bad=0.1, sessions=30, seed=5); "
        "print(hashlib.sha256(b'\\n'.join(records)).hexdigest())"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for hash_seed in ("0", "1", "4000000000")
    }
    here = b"\n".join(whole(3000, sessions=30, seed=5, duplicates=0.1, bad=0.1))
    assert found == {hashlib.sha256(here).hexdigest()}


def test_another_seed_gives_other_events_of_the_same_orchestrators() -> None:
    one, other = whole(500, seed=1), whole(500, seed=2)
    assert not set(one) & set(other)
    wallets, others = (
        {item["address"] for event in decoded(records) for item in announced(event)} for records in (one, other)
    )
    assert wallets & others


def test_valid_events_do_not_depend_on_what_is_mixed_in() -> None:
    pure = whole(1000)
    seen = dict.fromkeys(record for record in whole(1250, duplicates=0.1, bad=0.1) if not problem(record))
    assert list(seen) == pure


def test_duplicates_come_shortly_after_and_much_later() -> None:
    first: dict[bytes, int] = {}
    distances = [
        index - first[record]
        for index, record in enumerate(whole(20_000, duplicates=0.05))
        if first.setdefault(record, index) != index
    ]
    assert len(distances) == 1000
    assert min(distances) < 50
    assert max(distances) > 5000


def test_records_arrive_nearly_in_the_order_of_their_times_and_a_few_late() -> None:
    latest = 0
    behind = []
    for event in decoded(whole(20_000, sessions=200)):
        latest = max(latest, moment(event))
        behind.append(latest - moment(event))
    assert sum(lag > 1000 for lag in behind) in range(10, 200)
    assert max(behind) < 91_000


def test_as_many_sessions_as_asked_for_overlap_and_run_from_request_to_close() -> None:
    sessions = by_session(whole(20_000, sessions=100))
    assert len(sessions) == 100
    spans = [(moment(events[0]), moment(events[-1])) for events in sessions.values()]
    middle = sorted(start for start, _ in spans)[50]
    assert sum(start <= middle <= end for start, end in spans) > 5
    assert {events[0]["data"]["type"] for events in sessions.values()} == {"gateway_receive_stream_request"}
    closed = [events for events in sessions.values() if "gateway_ingest_stream_closed" in traces(events)]
    assert len(closed) > 90
    for events in closed:
        assert traces(events)[-1] == "gateway_ingest_stream_closed"
        assert [event["data"]["type"] for event in events if event["type"] == "ai_stream_events"][-1] == "error"


@pytest.mark.slow
def test_sessions_end_in_every_way_that_streams_do() -> None:
    outcomes = Counter[str]()
    for events in by_session(whole(40_000, sessions=300)).values():
        kinds = set(traces(events))
        outcomes["playable"] += "gateway_receive_few_processed_segments" in kinds
        outcomes["swap"] += "orchestrator_swap" in kinds
        outcomes["refused"] += "gateway_no_orchestrators_available" in kinds
        outcomes["never playable"] += not kinds & {
            "gateway_receive_few_processed_segments",
            "gateway_no_orchestrators_available",
        }
        outcomes["params"] += any(event["data"].get("type") == "params_update" for event in events)
        outcomes["faulty"] += any(event["data"].get("state") == "DEGRADED_INFERENCE" for event in events)
    assert outcomes["playable"] > 200
    assert min(outcomes.values()) > 3


def test_status_and_metrics_come_at_their_pace_and_counters_only_grow() -> None:
    longest = max(by_session(whole(3000, sessions=4)).values(), key=len)
    for kind, pace in (("stream_ingest_metrics", 5000), ("ai_stream_status", 10_000)):
        times = [moment(event) for event in longest if event["type"] == kind]
        assert len(times) > 50
        assert {round(after - before, -3) for before, after in pairwise(times)} == {pace}
    received = [
        event["data"]["stats"]["peer_conn_stats"]["BytesReceived"]
        for event in longest
        if event["type"] == "stream_ingest_metrics"
    ]
    assert received == sorted(set(received))


def test_capability_snapshots_cover_the_orchestrators_before_they_are_used() -> None:
    known: set[str] = set()
    used: set[str] = set()
    shapes = set()
    for event in sorted(decoded(whole(20_000, sessions=100)), key=moment):
        known |= {item["local_address"].lower() for item in announced(event)}
        if event["type"] == "network_capabilities":
            shapes.add(type(event["data"]))
        if event["type"] == "ai_stream_status":
            used.add(event["data"]["orchestrator_info"]["address"])
            assert used <= known
    assert len(used) > 8
    assert shapes == {list, dict}


def test_every_gateway_announces_its_orchestrators_every_few_minutes() -> None:
    times = defaultdict(list)
    for event in decoded(whole(20_000, sessions=30)):
        for item in announced(event):
            times[event["gateway"], item["address"]].append(moment(event))
    for found in times.values():
        pauses = [after - before for before, after in pairwise(sorted(found))]
        assert len(pauses) > 3
        assert 240_000 <= min(pauses) <= max(pauses) <= 360_000


def test_all_types_come_in_their_usual_shares_and_sizes() -> None:
    records = whole(30_000, sessions=100)
    counts = Counter(event["type"] for event in decoded(records))
    assert set(counts) == set(TYPES)
    assert 0.47 < counts["stream_ingest_metrics"] / len(records) < 0.57
    assert 0.22 < counts["ai_stream_status"] / len(records) < 0.30
    assert 600 < sum(map(len, records)) / len(records) < 800


def test_a_few_status_events_have_no_id() -> None:
    events = decoded(whole(20_000))
    without = [event for event in events if "id" not in event]
    assert {event["type"] for event in without} == {"ai_stream_status"}
    assert 0.002 < len(without) / len(events) < 0.02
    ids = [event["id"] for event in events if "id" in event]
    assert len(ids) == len(set(ids))


def test_start_is_when_the_first_stream_begins() -> None:
    start = 1_800_000_000_000
    records = list(generate(200, duplicates=0.0, bad=0.0, sessions=3, seed=7, start_ms=start))
    requests = [event for event in decoded(records) if event["type"] == "stream_trace"]
    assert moment(requests[0]) in range(start, start + 1000)


def test_ignored_records_come_in_the_shares_of_the_wider_topic_and_the_pipeline_ignores_each() -> None:
    rules = [*BUILTIN_IGNORE_RULES, *families(Settings().quality.ignored_types)]
    pipeline = Pipeline(BUILTIN_EVENT_TYPES, ignore_rules=rules)
    records = list(generate(4000, duplicates=0.02, bad=0.01, ignored=0.57, sessions=20, seed=7))
    assert len(records) == 4000
    ignored = Counter[str]()
    reasons = set()
    for offset, record in enumerate(records):
        verdict = pipeline.process(record, Position("topic", 0, offset))
        if isinstance(verdict, Ignored):
            ignored[verdict.event_type] += 1
            reasons.add(verdict.reason)
    assert sum(ignored.values()) == round(4000 * 0.57)
    assert 0.34 < ignored["pipelines_api_request"] / 4000 < 0.41
    assert 0.15 < ignored["webrtc_stats"] / 4000 < 0.22
    assert reasons == {rule.reason for rule in rules}


def test_live_events_come_at_the_rate_and_at_their_times() -> None:
    start = 1_800_000_000_000
    mixture = Mixture(events=0, duplicates=0.02, bad=0.01, jobs=0.1, ignored=0.3, seed=3)
    found = [(at - start, record) for at, record in islice(live(mixture, 100, start), 30_000)]
    times = [at for at, _ in found if at > 0]
    assert times == sorted(times)
    minutes = Counter(at // 60_000 for at in times)
    assert all(85 < minutes[minute] / 60 < 118 for minute in range(4)), minutes
    late = [at - (moment(event) - start) for at, record in found if (event := _valid(record))]
    assert min(late) >= -3
    assert sum(delay > 1000 for delay in late) < len(late) / 20


def _valid(record: bytes) -> dict[str, Any] | None:
    return None if problem(record) else json.loads(record)


def test_paced_records_wait_for_their_time_and_end_when_asked_to() -> None:
    clock = [0]
    waits: list[float] = []

    def wait(seconds: float) -> bool:
        waits.append(seconds)
        clock[0] += round(seconds * 1000)
        return len(waits) == 4

    def records() -> Iterator[tuple[int, str]]:
        yield from [(-500, "a"), (0, "b"), (10, "c"), (20, "d"), (2000, "e"), (2010, "f"), (9000, "g"), (9001, "h")]

    assert list(paced(records(), lambda: clock[0], wait)) == [["a", "b"], ["c", "d"], ["e"], ["f"]]
    assert waits == [0.05, 1.95, 0.05, 6.95]
    assert list(paced(iter([(5, "a")]), lambda: 5, wait)) == [["a"]]


@pytest.mark.slow
def test_memory_does_not_grow_with_the_number_of_events() -> None:
    def peak(events: int) -> int:
        tracemalloc.start()
        try:
            for _ in generate(events, duplicates=0.02, bad=0.01, sessions=50, seed=1):
                pass
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert peak(40_000) < 1.2 * peak(10_000)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"events": -1}, "events is -1"),
        ({"sessions": 0}, "sessions is 0"),
        ({"duplicates": -0.1}, "duplicates -0.1"),
        ({"bad": 1.5}, "bad 1.5"),
        ({"duplicates": 0.6, "bad": 0.6}, "together at most 1"),
        ({"duplicates": 0.5, "bad": 0.5}, "no valid event to repeat"),
        ({"duplicates": 0.1, "bad": 0.1, "ignored": 0.9}, "duplicates 0.1, bad 0.1, ignored 0.9 are shares"),
        ({"ignored": -0.1}, "ignored -0.1"),
    ],
)
def test_numbers_that_make_no_sense_are_named(arguments: dict[str, Any], message: str) -> None:
    sensible: dict[str, Any] = {"events": 100, "duplicates": 0.0, "bad": 0.0, "sessions": 1, "seed": 1}
    with pytest.raises(ValueError, match=message):
        generate(**sensible | arguments)
