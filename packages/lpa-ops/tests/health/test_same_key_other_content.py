"""An event under the key of another is not called a duplicate that does no harm."""

from __future__ import annotations

import hashlib
import json
import time

import pytest

from lpa_core.settings.thresholds import State
from lpa_ops.health.checks import quarantine_rate, same_key_other_content
from lpa_ops.testing.checked_database import CheckedDatabase, ok, red
from lpa_ops.triage.queries import Letters
from lpa_ops.triage.queries import same_key_other_content as triage_of

pytestmark = pytest.mark.slow

CHECK = same_key_other_content.CHECK


def event(number: int, **changes: object) -> dict[str, object]:
    data = {"stream_id": f"s{number}", "request_id": "r", "type": "t", "list": [number, {"a": 1.5}]}
    return {"id": "constant", "type": "stream_trace", "timestamp": 1_767_900_000_000, "data": data, **changes}


def accept(day: CheckedDatabase, offset: int, sent: object, *, key: str = "constant", minutes: int = -60) -> None:
    insert(day, "streaming_events", offset, sent, "raw_json", key, minutes)


def quarantine(
    day: CheckedDatabase, offset: int, sent: object, *, key: str = "constant", minutes: int = -60, replay: int = 0,
    strategy: str = "event_id", failure: str = "DUPLICATE", truncated: int = 0,
) -> None:  # fmt: skip
    text = sent if isinstance(sent, str) else json.dumps(sent)
    more = {
        "failure_class": failure,
        "dedup_strategy": strategy,
        "replay": replay,
        "event_type": "stream_trace",
        "payload_sha256": hashlib.sha256(text.encode()).hexdigest(),
        "payload_truncated": truncated,
    }
    insert(
        day, "streaming_events_quarantine", offset, text[:40] if truncated else text, "payload_body", key, minutes, more
    )


def insert(
    day: CheckedDatabase, table: str, offset: int, sent: object, column: str, key: str, minutes: int,
    more: dict[str, object] | None = None,
) -> None:  # fmt: skip
    row = {
        "source_topic": "t",
        "source_offset": offset,
        "dedup_key": key,
        column: sent if isinstance(sent, str) else json.dumps(sent),
        "ingestion_timestamp": f"{(day.now_ms + minutes * 60_000) / 1000:.3f}",
        **(more or {}),
    }
    day.run(f"INSERT INTO day.{table} ({', '.join(row)}) FORMAT JSONEachRow {json.dumps(row)}")


def test_failure_29_events_under_one_constant_id_are_red_and_no_duplicates_are(bare: CheckedDatabase) -> None:
    accept(bare, 0, event(0))
    ok(bare, CHECK)
    quarantine(bare, 1, event(0))
    ok(bare, CHECK)
    for offset in range(2, 5):
        quarantine(bare, offset, event(offset))
    accept(bare, 5, event(5), key="other")
    quarantine(bare, 6, event(6), key="other")
    action = red(bare, CHECK, State.WARNING, "4 quarantined events have the key of a stored event and other content, ")
    assert "each event needs an id of its own" in action
    red(bare, CHECK, State.WARNING, "2 keys; most under 'constant' (3, stream_trace)")
    for offset in range(10, 107):
        quarantine(bare, offset, event(offset))
    red(bare, CHECK, State.CRITICAL, "101 quarantined events")


@pytest.mark.parametrize(
    "same",
    [
        dict(reversed(event(0).items())),
        event(0, data=dict(reversed(event(0)["data"].items()))),  # type: ignore[attr-defined]
        json.dumps(event(0), indent=2),
        json.dumps(event(0), separators=(",", ":")),
        event(0, __replay=True, __replay_id="x", __replay_ts=5),
    ],
)
def test_failure_29_the_same_event_written_otherwise_is_a_duplicate(bare: CheckedDatabase, same: object) -> None:
    accept(bare, 0, event(0))
    quarantine(bare, 1, same)
    ok(bare, CHECK)


def test_failure_29_only_what_a_producer_sent_under_the_id_of_a_stored_event_counts(bare: CheckedDatabase) -> None:
    accept(bare, 0, event(0))
    accept(bare, 1, event(1), minutes=-30)
    quarantine(bare, 2, event(1))  # one of the stored events of its key
    quarantine(bare, 3, event(3), replay=1)
    quarantine(bare, 4, event(4), strategy="payload_hash")
    quarantine(bare, 5, event(5), failure="REPLAY_EXHAUSTED")
    quarantine(bare, 6, event(6), key="of an event that is not stored")
    quarantine(bare, 7, event(7), minutes=-60 * 30)
    quarantine(bare, 8, event(0), truncated=1)
    ok(bare, CHECK)
    quarantine(bare, 9, event(9), truncated=1)
    red(bare, CHECK, State.WARNING, "1 quarantined events")


def test_failure_29_data_that_is_no_object_is_compared_too(bare: CheckedDatabase) -> None:
    accept(bare, 0, event(0, data=[{"a": 1}, {"b": 2}]))
    quarantine(bare, 1, event(0, data=[{"a": 1}, {"b": 2}]))
    ok(bare, CHECK)
    quarantine(bare, 2, event(0, data=[{"a": 1}, {"b": 3}]))
    red(bare, CHECK, State.WARNING, "1 quarantined events")


def test_failure_29_triage_shows_both_events(bare: CheckedDatabase) -> None:
    now = (time.time_ns() // 1_000_000 - bare.now_ms) // 60_000
    accept(bare, 0, event(0), minutes=now)
    for offset in (1, 2):
        quarantine(bare, offset, event(offset), minutes=now)
    (found,) = triage_of(bare.engine, bare.settings.clickhouse.database, Letters()).as_json()
    assert (found["key"], found["event_type"], found["total"]) == ("constant", "stream_trace", 2)
    assert (found["stored_position"], found["latest_position"]) == ("t:0:0", "t:0:2")
    assert (json.loads(found["stored_json"]), json.loads(found["latest_json"])) == (event(0), event(2))


def test_failure_29_such_events_stay_as_long_as_dead_letters(bare: CheckedDatabase) -> None:
    day = 24 * 60
    quarantine(bare, 1, event(1), minutes=-29 * day)
    quarantine(bare, 2, event(2), minutes=-32 * day)
    quarantine(bare, 3, event(3), strategy="payload_hash", minutes=-6 * day)
    quarantine(bare, 4, event(4), strategy="payload_hash", minutes=-9 * day)
    bare.run("OPTIMIZE TABLE day.streaming_events_quarantine FINAL")
    assert bare.query("SELECT source_offset FROM day.streaming_events_quarantine ORDER BY 1") == [(1,), (3,)]


def test_failure_29_the_share_of_duplicates_says_how_many_are_none(bare: CheckedDatabase) -> None:
    accept(bare, 0, event(0))
    quarantine(bare, 1, event(0))
    red(bare, quarantine_rate.CHECK, State.CRITICAL, "1 of 2 records were quarantined (50.00%)")
    assert "other content" not in bare(quarantine_rate.CHECK).finding.detail
    quarantine(bare, 2, event(2))
    red(bare, quarantine_rate.CHECK, State.CRITICAL, "1 of them have the same key as a stored event, but other content")
