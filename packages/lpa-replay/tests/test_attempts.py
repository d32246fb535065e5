"""What counts as an attempt, and which of several copies of a record goes on."""

from __future__ import annotations

import pytest

from lpa_replay.testing.place import ReplayPlace, event

FIRST = """
[[fix]]
where = [{ path = "data.request_id", missing = true }]
steps = [{ set = "data.request_id", value = "r" }]
"""
SECOND = """
[[fix]]
where = [{ path = "data.request_id", equals = "r" }]
steps = [{ set = "data.pipeline", value = "live-video-to-video" }]
"""


@pytest.mark.slow
def test_runs_that_were_stopped_before_they_sent_a_record_are_no_attempts_at_it(
    place: ReplayPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.ingest([event("a"), event("b")])
    with monkeypatch.context() as stopping:
        stopping.setattr("lpa_replay.running.run.deliver_locally", lambda *given: False)
        for rate in ("1", "2", "3"):
            assert "was stopped" in place.replay("--all", "--rate", rate, status=1)
    done = place.replay("--all", "--fix", "fix.toml")
    assert (done["published"], done["exhausted"]) == (2, 0)
    assert place.count("streaming_events") == 2


@pytest.mark.slow
def test_a_second_fix_sees_what_the_first_has_made(place: ReplayPlace) -> None:
    broken = event("a")
    del broken["data"]["request_id"]
    place.ingest([broken])
    (place.folder / "first.toml").write_text(FIRST)
    (place.folder / "second.toml").write_text(SECOND)
    assert place.replay("--all", "--fix", "first.toml")["would_fail"] == {"missing_field": 1}
    done = place.replay("--all", "--fix", "second.toml")
    assert (done["would_pass"], done["skipped"]) == (1, 1)
    assert place.rows("SELECT dedup_key, replay_attempt FROM {}.streaming_events") == [("a", 2)]


def test_plans_are_for_the_user_alone_since_they_hold_the_address_of_the_dedup_store(place: ReplayPlace) -> None:
    place.ingest([event("a")])
    place.plan("--all")
    done = place.replay("--plan", "plan.json")
    for plan in (place.folder / "plan.json", *place.folder.rglob(f"{done['id']}/plan.json")):
        assert plan.stat().st_mode & 0o777 == 0o600
