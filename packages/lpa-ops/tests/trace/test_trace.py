"""``lpa trace``: from an id or a position to all that became of it."""

from __future__ import annotations

from typing import Any

import pytest

from lpa_core.cli import run
from lpa_replay.testing.place import MOMENT, ReplayPlace, event
from lpa_sinks.testing.job_records import JobRecords

TRACE = {"type": "gateway_receive_stream_request", "stream_id": "s", "request_id": "r"}


def traced(place: ReplayPlace, subject: str, *options: str, status: int = 0) -> dict[str, Any]:
    found: dict[str, Any] = place.lpa("trace", subject, *options, status=status)
    return found


def record_at(place: ReplayPlace, subject: str, *options: str, status: int = 0) -> dict[str, Any]:
    """The one record of a position, or the first of several."""
    asked = traced(place, subject, *options, status=status)
    name, partition, offset = subject.rsplit("/", 2)
    wanted = {"topic": name, "partition": int(partition), "offset": int(offset)}
    return next(record for record in asked["records"] if record["position"] == wanted)


def of(place: ReplayPlace, *fields: str) -> str:
    """What a person sees, in one line."""
    place.capsys.readouterr()
    run(["trace", *fields, "--sink", place.sink])
    return " ".join(place.capsys.readouterr().out.split())


def records() -> list[dict[str, Any] | bytes]:
    started = {"id": "t", "type": "stream_trace", "timestamp": MOMENT - 500, "gateway": "g", "data": TRACE}
    return [
        started,
        event("one", pipeline="p", state="ONLINE"),
        event("one", pipeline="p", state="ONLINE"),
        event("bad"),
        {"id": "seen", "type": "webrtc_stats", "timestamp": MOMENT, "data": {}},
        b"{",
    ]


@pytest.mark.slow
def test_every_fate_is_told_from_its_position(place: ReplayPlace) -> None:
    place.ingest(records(), "events.ndjson", "--archive", "archive")

    accepted = record_at(place, "events.ndjson/0/1", "--archive", "archive")
    assert (accepted["fate"], accepted["event_id"]) == ("accepted", "one")
    assert len(accepted["payload"]) == accepted["payload_size"]
    assert accepted["claim"]["owner"] == accepted["position"]
    assert accepted["claim"]["claimed"] == accepted["range"]["batch_time"] < accepted["claim"]["expires"]
    assert (accepted["range"]["start"], accepted["range"]["end"]) == (0, 6)
    assert {block["table"]: block["rows"] for block in accepted["blocks"]} == {
        "ai_stream_status": 1,
        "streaming_events": 1,
    }
    (effect,) = accepted["effects"]
    assert (effect["kind"], effect["id"], effect["derived"]) == ("session", "s|r", True)
    assert "source_last_event_uid" in effect["changes"]
    assert accepted["archive_file"].startswith("events.ndjson/date=")
    assert (place.folder / "archive" / accepted["archive_file"]).is_file()

    duplicate = record_at(place, "events.ndjson/0/2")
    assert duplicate["fate"] == "duplicate"
    assert duplicate["claim"]["owner"] == accepted["position"]
    assert duplicate["failure"]["details"] == "first seen at events.ndjson[0]@1"
    assert [block["table"] for block in duplicate["blocks"]] == ["streaming_events_quarantine"]

    dead = record_at(place, "events.ndjson/0/3")
    assert (dead["fate"], dead["failure"]["reason"]) == ("dead letter", "missing_field")
    assert dead["claim"] is None or dead["claim"]["owner"] is None
    assert not dead["effects"]

    ignored = record_at(place, "events.ndjson/0/4")
    assert (ignored["fate"], ignored["ignore_reason"]) == ("ignored", "ignored_event_family")
    assert (ignored["range"]["start"], ignored["range"]["end"]) == (0, 6)

    unread = record_at(place, "events.ndjson/0/99", status=1)
    assert unread["fate"] == "unknown"
    assert unread["remark"] == (
        "the tables have offsets 0 to 5 of this partition; its checkpoint is at line 6: not read yet"
    )
    foreign = traced(place, "nowhere/7/0", status=1)
    assert foreign["records"][0]["remark"] == "no table has a record of this partition"
    assert foreign["not_asked"] == ["the archive: none is set: set LPA_ARCHIVE_DIR, or give `lpa trace` --archive"]


@pytest.mark.slow
def test_ids_of_every_kind_lead_to_their_records(place: ReplayPlace) -> None:
    jobs = JobRecords()
    place.ingest(
        [*records(), jobs.batch(MOMENT, "received", "q"), jobs.batch(MOMENT + 900, "completed", "q", success=True)]
    )

    def offsets(subject: str, *options: str) -> list[int]:
        return [record["position"]["offset"] for record in traced(place, subject, *options)["records"]]

    assert offsets("one") == [1, 2]
    assert offsets("bad") == [3]
    assert offsets("s|r") == offsets("s") == offsets("r") == [0, 1, 2, 3]
    assert offsets("ai_batch|q") == offsets("q") == [6, 7]

    session = traced(place, "s", "--limit", "1")
    assert (session["sessions"][0]["id"], session["sessions"][0]["signals"]) == ("s|r", 2)
    assert (len(session["records"]), session["more_records"]) == (1, 3)
    first = session["records"][0]["effects"][0]["changes"]
    assert {"source_first_event_uid", "session_start_ts", "first_stream_request_ts"} <= set(first)
    job = traced(place, "q")
    assert (job["jobs"][0]["id"], job["jobs"][0]["outcome"]) == ("ai_batch|q", "success")
    assert [effect["changes"] for record in job["records"] for effect in record["effects"]] == [
        ["received_at"],
        ["completed_at"],
    ]
    place.ingest([event("like/1/2"), event("like:3:4")], "like.ndjson")
    assert [traced(place, each)["records"][0]["event_id"] for each in ("like/1/2", "like:3:4")] == [
        "like/1/2",
        "like:3:4",
    ], "an id that looks like a position"
    assert traced(place, "nobody", status=1)["records"] == []
    assert "Nothing is known of nobody: no table has such an id" in of(place, "nobody")
    for limit in ("0", "1001"):
        assert f"limit={limit}: a trace shows 1 to 1,000 records" in place.lpa(
            "trace", "one", "--limit", limit, status=2
        )
    assert traced(place, "s", "--limit", "1000")["more_records"] == 0


@pytest.mark.slow
def test_sessions_beyond_those_that_are_looked_at_are_told(place: ReplayPlace, monkeypatch: pytest.MonkeyPatch) -> None:
    some = [{**TRACE, "request_id": f"r{number}"} for number in range(3)]
    place.ingest(
        [{"id": f"t{n}", "type": "stream_trace", "timestamp": MOMENT, "data": data} for n, data in enumerate(some)]
    )
    line = "sessions beyond the first 2: trace one of them by its own id"
    assert line not in traced(place, "s")["not_asked"]
    monkeypatch.setattr("lpa_ops.trace.lookup._MOST_FACTS", 2)
    cut = traced(place, "s")
    assert (len(cut["sessions"]), line in cut["not_asked"]) == (2, True)


@pytest.mark.slow
def test_a_replayed_record_leads_to_its_copies_and_back(place: ReplayPlace) -> None:
    place.ingest(records())
    place.replay("--all", "--from", "dlq-table", "--to", "local", "--fix", "fix.toml")
    (run_of,) = place.lpa("replay", "list")
    place.verified(run_of["replay_id"])

    both = traced(place, "events.ndjson/0/3")["records"]
    assert [record["fate"] for record in both] == ["dead letter", "accepted"]
    dead, copy = both
    for record in both:
        (replay,) = record["replays"]
        assert (replay["replay_id"], replay["outcome"], replay["result"]) == (
            run_of["replay_id"],
            "published",
            "recovered",
        )
    assert (copy["origin"], copy["attempt"]) == (dead["position"], 1)
    topic = copy["position"]["topic"]
    assert traced(place, f"{topic}/0/{copy['position']['offset']}")["records"] == both
    assert traced(place, "bad")["records"] == both
    said = of(place, "bad")
    assert f"replay {run_of['replay_id']}: published (attempt 1, forecast passes); recovered" in said
    assert f"copy of events.ndjson/0/3, by replay {run_of['replay_id']}, attempt 1" in said

    place.replay("--all", "--from", "dlq-table", "--to", "local", "--reason", "json_parse_error")
    (cut,) = traced(place, "events.ndjson/0/5")["records"]
    assert [replay["outcome"] for replay in cut["replays"]] == ["unrecoverable", "unrecoverable"]


@pytest.mark.slow
def test_a_withdrawn_record_says_from_where(place: ReplayPlace) -> None:
    place.ingest(records()[:1])
    place.engine.command(
        f"ALTER TABLE {place.database}.streaming_events ADD CONSTRAINT good CHECK position(raw_json, 'poison') = 0"
    )
    place.ingest([event("two", pipeline="p", state="ONLINE"), event("poison", pipeline="p", state="ONLINE")], "more")
    place.engine.command(f"ALTER TABLE {place.database}.streaming_events DROP CONSTRAINT good")
    withdrawn = record_at(place, "more/0/1")
    assert (withdrawn["fate"], withdrawn["failure"]["failure_class"]) == ("dead letter", "DLQ_SINK_WRITE")
    assert withdrawn["failure"]["withdrawn_from"] == ["ai_stream_status", "streaming_events"]
    assert [block["table"] for block in withdrawn["blocks"]] == ["streaming_events_dlq"]
    assert "withdrawn from ai_stream_status" in of(place, "more/0/1")


@pytest.mark.slow
def test_rows_are_told_that_no_event_type_of_today_explains(place: ReplayPlace) -> None:
    place.ingest(records())
    place.engine.command(f"CREATE TABLE {place.database}.of_a_plugin_that_is_gone AS {place.database}.ai_stream_status")
    place.engine.command(
        f"INSERT INTO {place.database}.of_a_plugin_that_is_gone SELECT * FROM {place.database}.ai_stream_status"
    )
    blocks = record_at(place, "events.ndjson/0/1")["blocks"]
    assert [block["table"] for block in blocks] == ["ai_stream_status", "of_a_plugin_that_is_gone", "streaming_events"]
    place.engine.command(f"DELETE FROM {place.database}.streaming_events WHERE source_offset = 1")
    unexplained = record_at(place, "events.ndjson/0/1", status=1)
    assert unexplained["fate"] == "unknown"
    assert [effect["id"] for effect in unexplained["effects"]] == ["s|r"]


@pytest.mark.slow
def test_keys_of_one_hash_are_two_keys(place: ReplayPlace) -> None:
    alike = (
        "SELECT groupArray(toString(number)) FROM numbers(300_000) "
        "GROUP BY xxHash32(toString(number)) HAVING count() > 1 LIMIT 1"
    )
    ((one, other),) = place.engine.query(alike).result_rows[0]
    place.ingest([event(one)])
    place.ingest([event(other, pipeline="p", state="ONLINE")], "other.ndjson")
    assert [len(place.lpa("triage")["failures"]), place.lpa("triage")["recovered"]] == [1, 0]
    (rejected,) = traced(place, one)["records"]
    assert rejected["claim"] is None or rejected["claim"]["owner"] is None
    (accepted,) = traced(place, other)["records"]
    assert accepted["claim"]["owner"] == accepted["position"]
    place.ingest([event(one, pipeline="p", state="ONLINE")], "again.ndjson")
    assert place.lpa("triage")["recovered"] == 1


@pytest.mark.slow
def test_what_data_says_cannot_change_how_it_is_shown(place: ReplayPlace) -> None:
    odd = event("\x1b[31mred", pipeline="p", state="ONLINE", stream_id="[bold]\u202es")
    place.ingest([odd])
    said = of(place, "events.ndjson/0/0")
    assert "\x1b" not in said
    assert "\u202e" not in said
    assert "[bold]" in said
