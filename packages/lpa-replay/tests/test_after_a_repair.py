"""A repair turns what was red green, a verification is about its own replay, and a window goes by what people mean."""

from __future__ import annotations

from typing import Any

import pytest

from lpa_core.kafka.reject_records import reject_record
from lpa_core.pipeline.reject_envelope import Rejected, envelope
from lpa_core.validation.reasons import Reason, schema_invalid
from lpa_replay.testing.place import FIX, MOMENT, ReplayPlace, event

NOTHING_LEFT = {"failures": [], "details": [], "samples": [], "recovered": 2, "given_up": 0, "ignored": 0}


def check(place: ReplayPlace, name: str, status: int = 0) -> dict[str, Any]:
    (found,) = [each for each in place.lpa("health", status=status)["checks"] if each["name"] == name]
    return dict(found)


@pytest.fixture(autouse=True)
def _only_dead_letters(monkeypatch: pytest.MonkeyPatch) -> None:
    others = (
        "api_view_parity", "attribution_coverage", "backup_age", "conservation", "consumer_lag", "dedup_store",
        "deduplication_windows", "disk", "input_to_fact_freshness", "rollup_lag", "schema_drift", "session_consistency",
    )  # fmt: skip
    monkeypatch.setenv("HEALTH_CHECKS_DISABLED", ",".join(others))


@pytest.mark.slow
def test_failure_19_after_a_verified_replay_of_all_dead_letters_health_and_triage_are_green(place: ReplayPlace) -> None:
    place.ingest([*(event(f"good-{number}", pipeline="p") for number in range(20)), event("a"), event("", message="b")])
    assert check(place, "dlq_rate", status=1)["state"] == "critical"
    assert len(place.lpa("triage")["samples"]) == 2
    done = place.replay("--since", "1h", "--fix", "fix.toml")
    assert done["published"] == 2
    place.verified(done["id"])
    found = check(place, "dlq_rate")
    assert (found["state"], found["value"]) == ("ok", 0)
    assert place.lpa("triage") == {
        "failures": [],
        "details": [],
        "samples": [],
        "recovered": 2,
        "given_up": 0,
        "ignored": 0,
    }


@pytest.mark.slow
def test_failure_19_a_dead_letter_whose_replay_failed_again_is_one_and_stays_red(place: ReplayPlace) -> None:
    place.ingest([*(event(f"good-{number}", pipeline="p") for number in range(20)), event("a"), event("b")])
    (place.folder / "fix.toml").write_text(FIX + '\n[[fix]]\nwhere = [{ path = "id", equals = "a" }]\n'
                                           'steps = [{ set = "type", value = "no such type" }]\n')  # fmt: skip
    place.replay("--all", "--fix", "fix.toml")
    assert place.count("streaming_events_dlq") == 3
    triage = place.lpa("triage")
    assert (sum(each["total"] for each in triage["failures"]), triage["recovered"]) == (1, 1)
    assert triage["failures"][0]["failure_reason"] == "unsupported_event_type", "as the latest attempt left it"
    assert (
        "1 of 22 records were dead-lettered (4.55%); 1 more are recovered"
        in (check(place, "dlq_rate", status=1)["detail"])
    )


@pytest.mark.slow
def test_failure_19_a_mended_file_that_is_read_again_recovers_what_was_rejected(place: ReplayPlace) -> None:
    place.ingest([event("a"), event("b")])
    place.ingest([event("a", pipeline="p"), event("b", pipeline="p")], "mended.ndjson")
    assert place.lpa("triage") == {
        "failures": [],
        "details": [],
        "samples": [],
        "recovered": 2,
        "given_up": 0,
        "ignored": 0,
    }
    assert check(place, "dlq_rate")["state"] == "ok"


@pytest.mark.slow
def test_failure_19_a_record_that_replays_gave_up_is_told_apart(place: ReplayPlace) -> None:
    place.ingest([*(event(f"good-{number}", pipeline="p") for number in range(20)), event("a")])
    place.replay("--all")
    place.replay("--all", "--max-attempts", "1")
    triage = place.lpa("triage")
    assert (sum(each["total"] for each in triage["failures"]), triage["given_up"]) == (1, 1)
    assert (
        "1 of 21 records were dead-lettered (4.76%); replays gave 1 of them up"
        in (check(place, "dlq_rate", status=1)["detail"])
    )
    assert check(place, "quarantine_rate", status=1)["value"] == 0, "it is no duplicate of a producer"


@pytest.mark.slow
def test_failure_19_a_verification_does_not_fail_for_the_duplicates_of_others(place: ReplayPlace) -> None:
    place.ingest([event("other", pipeline="p"), event("a"), event("b")])
    insert = f"INSERT INTO {place.database}.streaming_events SELECT * REPLACE"
    copy = f"FROM {place.database}.streaming_events WHERE dedup_key"
    place.engine.command(f"{insert} (source_offset + 100 AS source_offset) {copy} = 'other'")
    done = place.replay("--all", "--fix", "fix.toml")
    place.engine.command(
        f"{insert} ('t' AS source_topic, 0 AS replay, '' AS replay_id, "
        f"now64(3) + INTERVAL 1 DAY AS ingestion_timestamp) {copy} = 'a'"
    )
    checks = place.verified(done["id"])
    assert checks["duplicates by dedup key"]["figures"] == {"in_window": 2, "of_this_replay": 0}
    place.engine.command(
        f"{insert} ('t' AS source_topic, 1 AS source_offset, 0 AS replay, '' AS replay_id, "
        f"ingestion_timestamp - INTERVAL 1 DAY AS ingestion_timestamp) {copy} = 'b'"
    )
    checks = place.verified(done["id"], status=1)
    assert checks["duplicates by dedup key"]["figures"]["of_this_replay"] == 1, "it was stored before the replay"


@pytest.mark.slow
def test_failure_19_a_verification_does_not_fail_for_the_dead_letters_of_others(place: ReplayPlace) -> None:
    place.ingest([event("a"), event("b")])
    done = place.replay("--all", "--fix", "fix.toml")
    place.ingest((event(f"later-{number}") for number in range(50)), "later.ndjson")
    rate = place.verified(done["id"])["rate of dead letters"]
    assert (rate["passed"], rate["figures"]["dead_letters"], rate["figures"]["accepted"]) == (True, 0, 2)


@pytest.mark.slow
def test_failure_19_since_goes_by_the_time_of_rejection_and_a_hint_tells_of_the_others(place: ReplayPlace) -> None:
    place.ingest(event(f"e-{number}", MOMENT + number) for number in range(6))
    assert place.plan("--since", "1h")["selected"] == 6, (
        "what was rejected in the last hour, however old the events are"
    )
    plan = place.plan("--since", "1h", "--by", "event")
    assert (plan["selected"], plan["missed"]) == (0, 6)
    assert plan["hint"].startswith("6 more were rejected in this window but have event times outside of it")
    assert place.plan("--since", "1h", "--by", "event", "--type", "stream_trace")["hint"] == ""
    plan = place.plan("--start", str(MOMENT), "--end", str(MOMENT + 3), "--by", "ingestion")
    assert (plan["selected"], plan["missed"], plan["hint"].split(":")[1]) == (
        0, 3, " --by event takes what happened in it"
    )  # fmt: skip
    assert (place.plan("--start", str(MOMENT), "--end", str(MOMENT + 3))["missed"], place.plan("--all")["missed"]) == (
        0, 0
    )  # fmt: skip
    place.capsys.readouterr()


def test_failure_19_a_file_of_envelopes_tells_of_the_others_too(place: ReplayPlace) -> None:
    rejected = [
        Rejected(
            position, schema_invalid(Reason.MISSING_FIELD, "data.pipeline"), b"{}", event_timestamp=MOMENT + number
        )
        for number, position in enumerate(_positions(4))
    ]
    lines = [reject_record(envelope(each, MOMENT, MOMENT + 1000 + n, 10**6)).value for n, each in enumerate(rejected)]
    (place.folder / "envelopes.ndjson").write_bytes(b"".join(line + b"\n" for line in lines))
    window = ("--start", str(MOMENT + 1000), "--end", str(MOMENT + 1003), "--from", "envelopes.ndjson")
    assert (place.plan(*window)["selected"], place.plan(*window)["missed"]) == (0, 3)
    assert place.plan(*window, "--by", "ingestion")["selected"] == 3


def _positions(count: int) -> list[Any]:
    from lpa_core.records import Position

    return [Position("t", 0, offset) for offset in range(count)]
