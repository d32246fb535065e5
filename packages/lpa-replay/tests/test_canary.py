"""A canary: a share of a run is sent and judged first, and the rest only if it came out as planned."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from lpa_core.errors import JobFailed
from lpa_core.records import Position
from lpa_core.replays import ReplayRefused
from lpa_replay.running import run as running
from lpa_replay.running.deliver_local import deliver_locally
from lpa_replay.staging.canary import CanaryRequest, digest_of
from lpa_replay.testing.place import ReplayPlace, event

RECORDS = 40
OF_THEM = ("--all", "--from", "dlq-table", "--to", "local", "--fix", "fix.toml")


class SuddenEndError(JobFailed):
    """Stands for a process that ends in the middle."""


def in_canary(share: float) -> set[int]:
    return {
        number for number in range(RECORDS) if digest_of(Position("events.ndjson", 0, number)) <= int(share * 2**64)
    }


def stored(place: ReplayPlace) -> set[int]:
    """Numbers of the events that a replay brought."""
    return {int(key) for (key,) in place.rows("SELECT id FROM {}.streaming_events WHERE replay = 1")}


def results(place: ReplayPlace) -> dict[int, str]:
    found = place.rows("SELECT source_offset, toString(result) FROM {}.replay_outcomes FINAL")
    return {int(offset): result for offset, result in found}


def dead_letters(place: ReplayPlace) -> None:
    place.ingest([event(f"{number}") for number in range(RECORDS)])


@pytest.mark.slow
def test_the_rest_follows_a_canary_that_came_out_as_planned(place: ReplayPlace) -> None:
    dead_letters(place)
    place.plan(*OF_THEM)
    chosen = in_canary(0.25)
    assert 0 < len(chosen) < RECORDS, "the positions of this test are chosen so"

    first = place.replay("--plan", "plan.json", "--canary", "25%", "--canary-only")
    assert first["canary"]["passed"] is True
    assert first["canary"]["figures"]["records"] == len(chosen)
    assert first["delivered"] is False
    assert stored(place) == chosen
    assert {number for number, result in results(place).items() if result == "recovered"} == chosen

    again = place.replay("--plan", "plan.json", "--canary", "0.25", "--canary-only")
    assert again["canary"] == first["canary"]
    assert stored(place) == chosen, "nothing is sent twice"

    whole = place.replay("--plan", "plan.json")
    assert (whole["delivered"], whole["published"]) == (True, RECORDS)
    assert stored(place) == set(range(RECORDS))
    assert place.count("streaming_events_quarantine") == 0
    (audited,) = place.lpa("replay", "list")
    assert [check["name"] for check in msgspec.json.decode(audited["verification"])] == ["canary"]
    checks = place.verified(audited["replay_id"])
    assert checks["every record in one place"]["passed"] is True
    (audited,) = place.lpa("replay", "list")
    assert "canary" in [check["name"] for check in msgspec.json.decode(audited["verification"])]


@pytest.mark.slow
def test_a_canary_that_fails_stops_the_run_with_the_reason(place: ReplayPlace, monkeypatch: pytest.MonkeyPatch) -> None:
    dead_letters(place)
    chosen = in_canary(0.25)
    place.plan(*OF_THEM)

    def delivered(*arguments: Any) -> bool:
        """The database refuses what the pipeline lets pass."""
        limit = f"ALTER TABLE {place.database}.streaming_events"
        place.engine.command(f"{limit} ADD CONSTRAINT good CHECK id NOT IN ('{min(chosen)}')")
        try:
            return deliver_locally(*arguments)
        finally:
            place.engine.command(f"{limit} DROP CONSTRAINT good")

    with monkeypatch.context() as patch:
        patch.setattr(running, "deliver_locally", delivered)
        said = place.replay("--plan", "plan.json", "--canary", "25%", status=1)
    assert "1 record planned to pass: failed again DLQ_SINK_WRITE sink_write_failed), so the other " in said
    assert f"{RECORDS - len(chosen)} records stayed where they are" in said
    assert said.count("\n") == 1
    assert stored(place) == chosen - {min(chosen)}

    assert "stayed where they are" in place.replay("--plan", "plan.json", status=1), "nor does it go on later"
    assert stored(place) == chosen - {min(chosen)}
    (audited,) = place.lpa("replay", "list")
    (check,) = msgspec.json.decode(audited["verification"])
    assert (audited["state"], check["passed"]) == ("staged", False)
    assert results(place)[min(chosen)] == "failed_again"


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["before it is sent", "before it is judged", "before the rest is sent"])
def test_a_canary_that_is_killed_goes_on(place: ReplayPlace, monkeypatch: pytest.MonkeyPatch, moment: str) -> None:
    dead_letters(place)
    place.plan(*OF_THEM)
    calls: Iterator[int] = iter(range(9))

    def killed(*arguments: Any) -> bool:
        call = next(calls)
        if (moment, call) in {("before it is sent", 0), ("before the rest is sent", 1)}:
            raise SuddenEndError("killed: start it again")
        return deliver_locally(*arguments)

    def not_judged(*arguments: Any) -> None:
        raise SuddenEndError("killed: start it again")

    with monkeypatch.context() as patch:
        patch.setattr(running, "deliver_locally", killed)
        if moment == "before it is judged":
            patch.setattr(running, "canary_findings", not_judged)
        place.replay("--plan", "plan.json", "--canary", "25%", status=1)
    assert stored(place) == (set() if moment == "before it is sent" else in_canary(0.25))
    whole = place.replay("--plan", "plan.json", "--canary", "25%")
    assert whole["canary"]["figures"]["records"] == len(in_canary(0.25))
    assert stored(place) == set(range(RECORDS))
    assert place.count("streaming_events_quarantine") == 0
    assert place.count("streaming_events") == RECORDS


@pytest.mark.slow
def test_a_record_that_was_planned_to_fail_may_fail_and_the_smallest_canary_is_one(place: ReplayPlace) -> None:
    place.ingest([event("a", **{"pipeline": "p", "stream_id": None, "request_id": None, "type": ""})])
    planned = place.plan("--all", "--from", "dlq-table", "--to", "local")
    assert planned["published"] - planned["would_pass"] == 1
    done = place.replay("--plan", "plan.json", "--canary", "0.0001%")
    assert done["canary"]["figures"]["records"] == 1
    (outcome,) = done["canary"]["figures"]["outcomes"]
    assert outcome["became"] == "failed_again"
    assert outcome["reason"].endswith(outcome["planned"])


@pytest.mark.slow
def test_a_run_keeps_the_canary_that_it_started_with(place: ReplayPlace) -> None:
    dead_letters(place)
    place.plan(*OF_THEM)
    place.replay("--plan", "plan.json", "--canary", "25%", "--canary-only")
    said = place.replay("--plan", "plan.json", "--canary", "50%", status=2)
    assert "started with a canary of 25.0000%: leave --canary out to go on" in said
    folder = next((place.folder / "lpa-data" / "replays").iterdir())
    manifest = msgspec.json.decode(Path(folder / "manifest.json").read_bytes())
    assert manifest["canary"]["share"] == 0.25
    manifest["canary"] = None
    (folder / "manifest.json").write_bytes(msgspec.json.encode(manifest))
    assert "started with no canary" in place.replay("--plan", "plan.json", "--canary", "25%", status=2)


@pytest.mark.parametrize("text", ["0", "0%", "101%", "1.5", "-1%", "nan", "one", "", "%", "inf"])
def test_a_share_is_above_nothing_and_at_most_all(text: str) -> None:
    with pytest.raises(ReplayRefused, match="give a share of the records"):
        CanaryRequest.of(text, only=False)


def test_both_ways_to_write_a_share_mean_the_same() -> None:
    one, other = CanaryRequest.of(" 1% ", only=False), CanaryRequest.of("0.01", only=False)
    assert one is not None
    assert other is not None
    assert math.isclose(one.share, other.share)
    assert CanaryRequest.of(None, only=False) is None
    with pytest.raises(ReplayRefused, match="give the share of the canary as well"):
        CanaryRequest.of(None, only=True)
