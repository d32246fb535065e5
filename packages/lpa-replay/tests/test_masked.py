"""Replays of what was kept before something was to be masked."""

from __future__ import annotations

import pytest

from lpa_replay.testing.place import FIX, ReplayPlace, event

SECRET = "203.0.113.9"


def test_nothing_unmasked_is_stored_or_spooled_again(place: ReplayPlace, monkeypatch: pytest.MonkeyPatch) -> None:
    place.ingest([event("a", client_ip=SECRET)])
    assert place.count("streaming_events_dlq") == 1
    monkeypatch.setenv("QUALITY_MASKED_PATHS", "data.client_ip=hash")
    monkeypatch.setenv("QUALITY_MASK_KEY", "a key of at least sixteen")
    (place.folder / "fix.toml").write_text(FIX)
    place.replay("--all", "--from", "dlq-table", "--to", "local", "--fix", "fix.toml")
    ((raw, key),) = place.rows("SELECT raw_json, dedup_key FROM {}.streaming_events")
    assert key == "a"
    assert '"client_ip":"masked:' in raw
    assert SECRET not in raw


def test_a_dead_letter_that_was_masked_comes_back_as_it_is(place: ReplayPlace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUALITY_MASKED_PATHS", "data.client_ip=hash,data.user=drop")
    monkeypatch.setenv("QUALITY_MASK_KEY", "a key of at least sixteen")
    without_id = event("", client_ip=SECRET, user="someone")
    del without_id["id"]
    place.ingest([without_id])
    ((kept,),) = place.rows("SELECT payload_body FROM {}.streaming_events_dlq")
    assert SECRET not in kept
    assert "someone" not in kept
    (place.folder / "fix.toml").write_text(FIX)
    place.replay("--all", "--from", "dlq-table", "--to", "local", "--fix", "fix.toml")
    ((raw,),) = place.rows("SELECT raw_json FROM {}.streaming_events")
    hashed = kept.partition('"masked:')[2].partition('"')[0]
    assert f'"masked:{hashed}"' in raw
    assert '"__masked":"masked:' in raw
