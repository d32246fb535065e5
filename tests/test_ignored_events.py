"""A topic of which most is ignored, through the whole job: everything else as if these records were not there."""

from __future__ import annotations

import json
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from test_main_job import ingest, lpa, query

from lpa_core.generate import generate

EVENTS = 1_500


def ignored(number: int) -> bytes:
    """More than one of them in a row, of each rule of lpa and of a family that is named."""
    root: dict[str, Any] = {"id": f"i{number}", "type": "stream_trace", "timestamp": "soon", "data": {}}
    kinds: list[dict[str, Any]] = [
        {"type": "webrtc_stats"},
        {"data": {"type": "App_x", "user_info": {"ip": "203.0.113.7"}}},
        {"data": {"type": "error", "client_source": "Scope", "user_id": "u"}},
        {"timestamp": 1_767_873_600_000, "data": {"type": "stream_stopped", "stream_id": "s"}},
        {"type": "named_by_the_settings", "data": [1]},
    ]
    return json.dumps(root | kinds[number % len(kinds)]).encode()


@pytest.mark.slow
def test_ignored_records_change_nothing_but_their_counts(tmp_path: Path) -> None:
    events = [line for line in generate(EVENTS, duplicates=0.03, bad=0.02, sessions=10, seed=4) if b'"app_' not in line]
    mixed = [*chain.from_iterable([event, *map(ignored, range(n, n + n % 4))] for n, event in enumerate(events))]
    reports = {}
    for name, lines in {"alone": events, "mixed": mixed}.items():
        folder = tmp_path / name
        folder.mkdir()
        (folder / "events.ndjson").write_bytes(b"".join(line + b"\n" for line in lines))
        named = "webrtc_stats,named_by_the_settings"
        reports[name] = ingest("events.ndjson", folder, QUALITY_IGNORED_TYPES=named, QUALITY_IGNORED_STORE="redacted")
    alone, both = reports["alone"], reports["mixed"]
    assert both["ignored"] == both["read"] - alone["read"] == len(mixed) - len(events)
    assert set(both["ignored_by_reason"]) == {
        "ignored_event_family",
        "ignored_stream_trace_non_core_app",
        "ignored_stream_trace_scope_client_noise",
        "unsupported_stream_trace_type",
    }
    for counted in ("accepted", "dead_lettered", "quarantined"):
        assert both[counted] == alone[counted]

    counts, gaps, events_kept, personal, places = query(
        tmp_path / "mixed",
        "SELECT sum(records), sum(bytes) FROM livepeer_analytics.ignored_event_counts",
        "SELECT sum(next_offset - source_offset) FROM livepeer_analytics.known_gaps WHERE reason = 'ignored'",
        "SELECT count(), uniqExact(source_offset) FROM livepeer_analytics.ignored_events",
        "SELECT count() FROM livepeer_analytics.ignored_events WHERE payload LIKE '%203.0.113.7%'"
        " OR payload LIKE '%user_id%'",
        "SELECT count(), uniqExact(source_offset) FROM (SELECT source_offset FROM livepeer_analytics.streaming_events"
        " UNION ALL SELECT source_offset FROM livepeer_analytics.streaming_events_dlq"
        " UNION ALL SELECT source_offset FROM livepeer_analytics.streaming_events_quarantine"
        " UNION ALL SELECT arrayJoin(range(source_offset, next_offset)) FROM livepeer_analytics.known_gaps)",
    )
    assert counts == [[both["ignored"], sum(len(line) for line in mixed) - sum(map(len, events))]]
    assert gaps == [[both["ignored"]]]
    assert events_kept == [[both["ignored"], both["ignored"]]]
    assert personal == [[0]]
    assert places == [[len(mixed), len(mixed)]]

    overview = json.loads(lpa("triage", "--json", cwd=tmp_path / "mixed"))
    assert overview["ignored"] == both["ignored"]
    rows = json.loads(lpa("triage", "ignored", "--json", cwd=tmp_path / "mixed"))
    by_reason: dict[str, int] = {}
    for row in rows:
        by_reason[row["ignore_reason"]] = by_reason.get(row["ignore_reason"], 0) + row["total"]
    assert by_reason == both["ignored_by_reason"]
    assert [row["total"] for row in rows] == sorted((row["total"] for row in rows), reverse=True)
    of_type = json.loads(lpa("triage", "ignored", "--type", "webrtc_stats", "--json", cwd=tmp_path / "mixed"))
    assert of_type == [row for row in rows if row["event_type"] == "webrtc_stats"]
    printed = lpa("triage", "ignored", "--since", "2100-01-01", cwd=tmp_path / "mixed")
    assert printed.strip() == "Nothing was ignored since 2100-01-01T00:00:00.000Z."

    health = json.loads(lpa("health", "--json", cwd=tmp_path / "mixed", check=False))
    states = {check["name"]: check for check in health["checks"]}
    assert states["conservation"]["state"] == "ok", states["conservation"]["detail"]
    dead = states["dlq_rate"]["value"]
    assert dead == alone["dead_lettered"] / (alone["accepted"] + alone["dead_lettered"] + alone["quarantined"])
