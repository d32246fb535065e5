"""A key that comes twice in an object, from ingestion to the verified replay: the last counts everywhere."""

from __future__ import annotations

import json

import pytest

from lpa_replay.testing.place import ReplayPlace, event

DECOY = '"id":"first","d\\u0061ta":{"stream_id":"first"},"timestamp":1,"type":"x"'


def twice(identity: str, **data: str) -> bytes:
    """An event with other values under its keys before the real ones, at its root and in its data."""
    text = json.dumps(event(identity, **data))
    text = text.replace("{", f"{{{DECOY},", 1)
    text = text.replace('"data": {', '"data": {"stream_id":"first","m\\u0065ssage":1,', 1)
    assert json.loads(text) == event(identity, **data)
    return text.encode()


@pytest.mark.slow
def test_failure_07_rows_views_aliases_and_replays_agree(place: ReplayPlace) -> None:
    marked_before = twice("c").replace(b"{", b'{"__\\u0072eplay_id":"old","__repl\\u0061y_origin":"x:0:1",', 1)
    place.ingest([twice("a", pipeline="p"), twice("b"), twice("a", pipeline="other"), marked_before])
    assert place.rows("SELECT dedup_key FROM {}.streaming_events_quarantine") == [("a",)]
    done = place.replay("--all", "--fix", "fix.toml")
    assert (done["selected"], done["would_pass"]) == (2, 2)
    place.verified(done["id"])
    for raw, typed in (
        ("streaming_events", "ai_stream_status"),
        ("raw_streaming_events", "raw_ai_stream_status"),
    ):
        rows = place.rows(
            f"SELECT raw.id, raw.type, toUnixTimestamp64Milli(raw.event_timestamp), raw.data, typed.stream_id, "
            f"typed.request_id, typed.pipeline FROM {{}}.{raw} AS raw "
            f"INNER JOIN {{}}.{typed} AS typed USING (raw_event_uid) ORDER BY 1"
        )
        assert [row[0] for row in rows] == ["a", "b", "c"]
        for identity, kind, moment, data, *columns in rows:
            sent = event(identity, pipeline=columns[2])
            assert (kind, moment, json.loads(data)) == (sent["type"], sent["timestamp"], sent["data"])
            assert columns == [sent["data"][name] for name in ("stream_id", "request_id", "pipeline")]
