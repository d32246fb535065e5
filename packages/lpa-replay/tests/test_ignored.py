"""Replays of what a rule ignores now, and of what an archive has only the position of."""

from __future__ import annotations

from typing import Any

import pytest

from lpa_replay.testing.place import MOMENT, ReplayPlace, event

FAMILY = {"id": "b", "type": "some_new_family", "timestamp": MOMENT, "data": {}}
APP: dict[str, Any] = {"id": "c", "type": "stream_trace", "timestamp": MOMENT, "data": {"type": "app_x"}}


def test_a_dead_letter_that_a_rule_ignores_now_is_skipped_and_says_so(
    place: ReplayPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.ingest([event("a", pipeline="p"), FAMILY])
    assert place.count("streaming_events_dlq") == 1
    monkeypatch.setenv("QUALITY_IGNORED_TYPES", "some_new_family")
    said = place.replay("--all", "--from", "dlq-table", "--to", "local")
    assert place.count("streaming_events") == 1
    assert "a rule ignores it: ignored_event_family" in str(said)
    assert place.count("ignored_event_counts") == 0


def test_ignored_records_of_an_archive_are_ignored_again(place: ReplayPlace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUALITY_IGNORED_ARCHIVE", "positions")
    place.ingest([event("a", pipeline="p"), APP, event("b", pipeline="p")], "events.ndjson", "--archive", "archive")
    said = place.replay("--all", "--from", "archive", "--archive", "archive", "--to", "local")
    assert "a rule ignored it, and the archive has only its position: ignored_stream_trace_non_core_app" in str(said)
    assert place.count("streaming_events") == 2
