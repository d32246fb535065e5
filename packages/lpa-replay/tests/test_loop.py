"""The whole loop on the embedded database: a producer's bug, triage, a fix, plan, run, verify, and again."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from lpa_core.cli import run
from lpa_replay.testing.place import FIX, MOMENT, ReplayPlace, event

RECORDS = 10_000
WINDOW = ("--start", str(MOMENT), "--end", str(MOMENT + RECORDS), "--fix", "fix.toml")


@pytest.mark.slow
def test_a_producers_bug_is_repaired_once(place: ReplayPlace) -> None:
    place.ingest(event(f"e-{number}", MOMENT + number) for number in range(RECORDS))
    (failure,) = place.lpa("triage")["failures"]
    assert (failure["failure_class"], failure["failure_reason"]) == ("SCHEMA_INVALID", "missing_field")
    assert failure["total"] == RECORDS

    plan = place.plan(*WINDOW, "--rate", "100000")
    assert (plan["selected"], plan["published"], plan["would_pass"]) == (RECORDS, RECORDS, RECORDS)
    assert (plan["would_fail"], plan["already_stored"]) == ({}, 0)
    assert (plan["by_class"], plan["by_type"]) == ({"SCHEMA_INVALID": RECORDS}, {"ai_stream_status": RECORDS})
    assert plan["by_hour"] == {"2026-01-08T12:00:00.000Z": RECORDS}
    assert plan["estimated_seconds"] == 0.1
    before, after = (msgspec.json.decode(plan["samples"][0][side]) for side in ("before", "after"))
    assert "pipeline" not in before["data"]
    assert after["data"]["pipeline"] == "live-video-to-video"
    assert place.count("streaming_events") == 0, "planning sends nothing"

    done = place.replay("--plan", "plan.json")
    assert (done["id"], done["published"]) == (plan["id"], RECORDS)
    checks = place.verified(done["id"])
    assert checks["every record in one place"]["figures"]["recovered"] == RECORDS
    assert checks["rows in typed tables"]["figures"]["tables"] == {"ai_stream_status": RECORDS}
    assert place.rows("SELECT count(), uniqExact(dedup_key), min(replay), min(replay_attempt), any(replay_id) "
                      "FROM {}.streaming_events") == [(RECORDS, RECORDS, 1, 1, done["id"])]  # fmt: skip

    assert place.replay("--plan", "plan.json")["already_delivered"], "a plan is carried out once"
    again = place.replay(*WINDOW)
    assert (again["selected"], again["published"], again["already_stored"]) == (RECORDS, 0, RECORDS)
    checks = place.verified(again["id"])
    assert checks["every record in one place"]["figures"]["skipped"] == RECORDS
    assert place.count("streaming_events") == RECORDS

    first, second = place.lpa("replay", "list")
    assert (first["replay_id"], first["state"], first["records_published"]) == (done["id"], "verified", RECORDS)
    assert (second["records_skipped"], second["state"]) == (RECORDS, "verified")
    assert first["fix_sha256"] == second["fix_sha256"] != ""
    assert (first["start"], first["end"]) == ("2026-01-08T12:00:00.000Z", "2026-01-08T12:00:10.000Z")
    assert (first["first_position"], first["last_position"]) == ("events.ndjson[0]@0", "events.ndjson[0]@9999")
    shown = place.lpa("replay", "show", again["id"])
    assert shown["results"] == [{"result": "skipped", "why": "already stored", "records": RECORDS}]


@pytest.mark.slow
def test_each_record_ends_in_one_place(place: ReplayPlace) -> None:
    place.ingest(
        [
            event("recovered"),
            event("fails again", request_id=""),
            event("fix fails", pipeline="", type="x"),
            b"not json",
            event("stored", pipeline="p"),
        ]
    )
    (place.folder / "fix.toml").write_text(
        FIX
        + '[[fix]]\nwhere = [{ path = "id", equals = "fix fails" }]\nsteps = [{ cast = "data.nothing", to = "text" }]\n'
    )
    done = place.replay("--all", "--fix", "fix.toml")
    counts = {name: done[name] for name in ("selected", "published", "would_pass", "skipped", "unrecoverable")}
    assert counts == {"selected": 4, "published": 2, "would_pass": 1, "skipped": 1, "unrecoverable": 1}
    assert done["would_fail"] == {"missing_field": 1}
    checks = place.verified(done["id"], status=1)
    figures = checks["every record in one place"]["figures"]
    assert {name: count for name, count in figures.items() if count} == {
        "records": 4,
        "recovered": 1,
        "failed_again": 1,
        "skipped": 1,
        "unrecoverable": 1,
    }
    assert not checks["rate of dead letters"]["passed"], "half of it failed again"
    assert {(each["result"], each["why"]) for each in place.lpa("replay", "show", done["id"])["results"]} == {
        ("recovered", ""),
        ("failed_again", "SCHEMA_INVALID missing_field"),
        ("skipped", "fix: there is no data.nothing"),
        ("unrecoverable", "it is not JSON"),
    }
    ((attempt, payload),) = place.rows("SELECT attempt, payload_body FROM {}.streaming_events_dlq WHERE replay = 1")
    assert attempt == 1
    assert json.loads(payload)["__replay_failure_class"] == "SCHEMA_INVALID"


@pytest.mark.slow
def test_a_row_that_was_doubled_fails_the_verification(place: ReplayPlace) -> None:
    place.ingest([event("a"), event("b")])
    done = place.replay("--all", "--fix", "fix.toml")
    place.engine.command(
        f"INSERT INTO {place.database}.streaming_events SELECT * FROM {place.database}.streaming_events LIMIT 1"
    )
    checks = place.verified(done["id"], status=1)
    for name in ("duplicates by dedup key", "duplicates by position"):
        assert not checks[name]["passed"]
        assert checks[name]["figures"] == {"in_window": 1, "of_this_replay": 1}
    (listed,) = place.lpa("replay", "list")
    assert listed["state"] == "failed"


@pytest.mark.slow
def test_rows_that_are_missing_fail_the_verification(place: ReplayPlace) -> None:
    place.ingest([event("a"), event("b")])
    done = place.replay("--all", "--fix", "fix.toml")
    for table in ("ai_stream_status", "streaming_events"):
        uid = "dedup_key" if table == "streaming_events" else "raw_event_uid"
        place.engine.command(f"DELETE FROM {place.database}.{table} WHERE {uid} = 'a'", settings={"mutations_sync": 2})
        checks = place.verified(done["id"], status=1)
        if table == "ai_stream_status":
            assert checks["rows in typed tables"]["figures"]["found"] == 1
    assert checks["every record in one place"]["figures"]["missing"] == 1


@pytest.mark.slow
def test_what_fails_again_goes_round_three_times_and_then_to_quarantine(place: ReplayPlace) -> None:
    place.ingest([event("a")])
    for attempt in (1, 2, 3):
        assert place.replay("--all")["published"] == 1
        assert place.rows("SELECT max(attempt) FROM {}.streaming_events_dlq") == [(attempt,)]
    done = place.replay("--all")
    assert (done["published"], done["exhausted"], done["skipped"]) == (0, 1, 3)
    assert place.rows(
        "SELECT failure_class, failure_reason, failure_stage, attempt, source_topic, source_offset "
        "FROM {}.streaming_events_quarantine"
    ) == [("REPLAY_EXHAUSTED", "attempts_exhausted", "REPLAY", 3, "events.ndjson", 0)]
    assert place.verified(done["id"])["every record in one place"]["figures"]["skipped"] == 4
    assert place.replay("--all")["exhausted"] == 0
    assert place.count("streaming_events_quarantine") == 1
    plan = place.plan("--all", "--from", "quarantine-table", "--max-attempts", "4", "--fix", "fix.toml")
    assert plan["selected"] == 1


@pytest.mark.slow
def test_a_plan_is_carried_out_exactly_or_not_at_all(place: ReplayPlace) -> None:
    place.ingest([event("a")])
    place.plan("--all", "--fix", "fix.toml")
    (place.folder / "fix.toml").unlink()
    place.ingest([event("b")], "more.ndjson")
    assert place.replay("--plan", "plan.json")["published"] == 1, "what came later is not in it, and the fix is"
    assert place.rows("SELECT dedup_key FROM {}.streaming_events") == [("a",)]

    (place.folder / "fix.toml").write_text(FIX)
    place.plan("--all", "--fix", "fix.toml")
    place.engine.command(
        f"DELETE FROM {place.database}.streaming_events_dlq WHERE event_id = 'b'", settings={"mutations_sync": 2}
    )
    said = place.replay("--plan", "plan.json", status=1)
    assert "the source holds other records than when it was planned (1 now, 2 then): plan again" in said

    planned = (place.folder / "plan.json").read_text()
    (place.folder / "plan.json").write_text(planned.replace('"max_attempts": 3', '"max_attempts": 9'))
    assert "was changed since it was planned" in place.replay("--plan", "plan.json", status=2)
    assert "--plan decides everything" in place.replay("--plan", "plan.json", "--all", status=2)


@pytest.mark.slow
def test_conditions_in_sql(place: ReplayPlace) -> None:
    place.ingest([event("a"), event("b"), event("c", pipeline="p", request_id="")])
    both = "event_id = 'a' OR failure_details LIKE '%data.request_id%' -- both"
    assert place.plan("--all", "--where", both)["selected"] == 2
    assert place.plan("--all", "--type", "ai_stream_status", "--reason", "missing_field", "--max", "2")["selected"] == 2
    assert place.plan("--all", "--stage", "PARSE")["selected"] == 0
    for wrong in ("no_column = 1", "1) OR (1", "1 UNION ALL SELECT 1", "count() > 1"):
        assert "--where: no condition over the columns of the table" in place.plan("--all", "--where", wrong, status=2)


@pytest.mark.slow
def test_the_answer_to_a_question_is_taken(place: ReplayPlace, monkeypatch: pytest.MonkeyPatch) -> None:
    place.ingest([event("a")])
    for stream in ("stdin", "stdout"):
        monkeypatch.setattr(f"sys.{stream}.isatty", lambda: True, raising=False)
    answers: list[str | type[Exception]] = ["no", EOFError, "yes"]

    def answer() -> str:
        given = answers.pop(0)
        if isinstance(given, str):
            return given
        raise given

    monkeypatch.setattr("builtins.input", answer)
    replay = ["replay", "run", "--all", "--fix", "fix.toml", "--sink", place.sink]
    assert run([*replay, "--json"]) == 1
    asked = place.capsys.readouterr()
    assert asked.err.endswith("Send? [y/N] "), "JSON has the standard output to itself"
    assert run(replay) == 1, "the end of the input is no yes"
    assert place.capsys.readouterr().out.endswith("Send? [y/N] ")
    assert place.count("streaming_events") == 0
    assert run(replay) == 0
    assert "sent" in place.capsys.readouterr().out
    assert place.count("streaming_events") == 1
    assert not list(Path("lpa-data/replays").glob("*/outgoing*")), "what is sent needs no room any more"

    place.ingest([event("b")], "more.ndjson")
    assert run([*replay, "--yes"]) == 0
    assert answers == []
    assert place.count("streaming_events") == 2
