"""Events whose time cannot be: dead letters that a fix mends and a replay verifies, judged by their record's time."""

from __future__ import annotations

import json
import time
from typing import Final

import pytest

from lpa_replay.fix.file import parse_fixes
from lpa_replay.testing.place import MOMENT, ReplayPlace, event

DAY_MS: Final = 86_400_000
FIXES: Final = """
[[fix]]
reason = "implausible_timestamp"
where = [{ path = "timestamp", matches = "^[0-9]{10}$" }]
steps = [{ multiply = "timestamp", by = 1000 }]

[[fix]]
reason = "implausible_timestamp"
where = [{ path = "timestamp", matches = "^[0-9]{16}$" }]
steps = [{ multiply = "timestamp", by = 0.001 }]
"""


@pytest.mark.slow
def test_failure_08_other_units_are_mended_by_a_fix_and_verified(place: ReplayPlace) -> None:
    (place.folder / "times.toml").write_text(FIXES)
    sent = {"seconds": MOMENT // 1000, "digits": str(MOMENT // 1000), "microseconds": MOMENT * 1000 + 7, "fine": MOMENT}
    place.ingest([event(name, timestamp, pipeline="p") for name, timestamp in sent.items()])
    rejected = place.rows(
        "SELECT event_id, event_timestamp IS NULL FROM {}.streaming_events_dlq "
        "WHERE failure_reason = 'implausible_timestamp' ORDER BY event_id"
    )
    assert rejected == [("digits", 1), ("microseconds", 1), ("seconds", 1)]
    # Windows go by the record's time: who asks for what came lately finds them.
    done = place.replay("--since", "1h", "--reason", "implausible_timestamp", "--fix", "times.toml")
    assert (done["selected"], done["would_pass"]) == (3, 3)
    assert place.verified(done["id"])
    stored = place.rows("SELECT id, timestamp FROM {}.streaming_events ORDER BY id")
    assert stored == [(name, MOMENT) for name in sorted(sent)]


@pytest.mark.slow
def test_failure_08_what_was_ahead_of_its_record_still_is_when_it_is_replayed_later(
    place: ReplayPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.time_ns() // 1_000_000
    place.ingest([event("ahead", now + 2 * DAY_MS, pipeline="p")])
    ((record_ms,),) = place.rows("SELECT toUnixTimestamp64Milli(source_record_timestamp) FROM {}.streaming_events_dlq")
    later = time.time_ns() + 5 * DAY_MS * 1_000_000
    monkeypatch.setattr("time.time_ns", lambda: later)
    for attempt in (1, 2):
        done = place.replay("--all")
        assert (done["published"], done["would_pass"]) == (1, 0)
        bodies = place.rows(
            "SELECT payload_body, failure_reason FROM {}.streaming_events_dlq ORDER BY attempt DESC LIMIT 1"
        )
        marks = json.loads(bodies[0][0])
        assert (marks["__replay_attempt"], marks["__replay_record_ms"]) == (attempt, record_ms)
        assert bodies[0][1] == "implausible_timestamp"
    assert place.count("streaming_events") == 0


@pytest.mark.parametrize(
    ("before", "by", "after"),
    [
        (1_767_873_600, "1000", 1_767_873_600_000),
        ("1767873600", "1000", 1_767_873_600_000),
        (1_767_873_600.5, "1000", 1_767_873_600_500),
        (1_767_873_600_000_999, "0.001", 1_767_873_600_000),
        (9_007_199_254_740_993, "0.001", 9_007_199_254_740),
        (-1_500, "0.001", -1),
    ],
)
def test_failure_08_a_fix_multiplies_exactly(before: object, by: str, after: int) -> None:
    (fix,) = parse_fixes(f'[[fix]]\nsteps = [{{ multiply = "data.t", by = {by} }}]', "fix.toml").fixes
    document = {"data": {"t": before}}
    for step in fix.steps:
        step.apply(document)
    assert document == {"data": {"t": after}}


@pytest.mark.parametrize("value", ["soon", None, True, {}, "1.5"])
def test_failure_08_what_is_no_number_is_not_multiplied(value: object) -> None:
    (fix,) = parse_fixes('[[fix]]\nsteps = [{ multiply = "t", by = 1000 }]', "fix.toml").fixes
    with pytest.raises(ValueError, match="t is not a number to multiply"):
        fix.steps[0].apply({"t": value})
