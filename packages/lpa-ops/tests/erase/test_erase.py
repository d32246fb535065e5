"""`lpa erase`: nothing of the person is left, nothing else is gone, and nothing brings it back."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lpa_core.cli import run
from lpa_core.health.check import Scope
from lpa_core.health.check_runner import CheckRunner
from lpa_core.settings.loading import load
from lpa_core.settings.thresholds import State
from lpa_ops.erase import erasure
from lpa_ops.health.checks import conservation
from lpa_replay.testing.place import MOMENT, ReplayPlace, event
from lpa_sinks.archive.lines import ArchivedRecord
from lpa_sinks.archive.reader import read_archive

pytestmark = pytest.mark.slow

WHO = "user/ä-7"
TABLES = ("streaming_events", "streaming_events_dlq", "streaming_events_quarantine", "ignored_events")
STREAMED = {"pipeline": "p", "state": "ONLINE", "type": "status"}


def of_them(identity: str, **data: Any) -> dict[str, Any]:
    return event(identity, **{"user_id": WHO, "stream_id": "theirs", **STREAMED, **data})


def records() -> list[dict[str, Any] | bytes]:
    """An event, a duplicate, a dead letter, an ignored record and one that cannot be read of them; others' beside."""
    odd = json.dumps(of_them("escaped")).encode().replace(b"user", b"\\u0075ser")
    listed = event("listed", data=[{"user_id": WHO}], **STREAMED)
    listed["data"]["people"] = [{"user_id": "x"}, {"user_id": WHO}]
    return [
        event("other", user_id="another", stream_id="others", **STREAMED),
        of_them("one"),
        of_them("one"),
        of_them("bad", pipeline=None),
        {"id": "seen", "type": "webrtc_stats", "timestamp": MOMENT, "data": {"user_id": WHO}},
        json.dumps(of_them("cut"), ensure_ascii=False).encode()[:-3],
        odd,
        event("quoted", user_id="another", message=f"I met {WHO}", stream_id="others", **STREAMED),
        event("last", user_id=f"{WHO}0", stream_id="others", **STREAMED),
    ]


NOW = {"lightweight_deletes_sync": 2, "mutations_sync": 2}
THEIRS = {1, 2, 3, 4, 5, 6}


def offsets(place: ReplayPlace) -> dict[str, set[int]]:
    return {table: {at for (at,) in place.rows(f"SELECT source_offset FROM {{}}.{table}")} for table in TABLES}


def archived(place: ReplayPlace) -> dict[int, ArchivedRecord]:
    return {record.offset: record for record in read_archive(str(place.folder / "archive"))}


def erase(place: ReplayPlace, verb: str, *options: str, status: int = 0) -> Any:
    return place.lpa("erase", verb, *options, status=status)


def receipts(place: ReplayPlace) -> list[dict[str, Any]]:
    place.capsys.readouterr()
    assert run(["erase", "list", "--json"]) == 0
    return list(json.loads(place.capsys.readouterr().out))


OF_THEM = ("--path", "data.user_id", "--value", WHO, "--archive", "archive")


def conserved(place: ReplayPlace) -> State:
    settings = load()
    now = MOMENT + 3_600_000
    scope = Scope(settings, now, now - 10 * 86_400_000, place.sink)
    (result,) = CheckRunner([conservation.CHECK], settings, 600).run(scope)
    return result.finding.state


def ingested(place: ReplayPlace) -> None:
    place.ingest(records(), "events.ndjson", "--archive", "archive")
    stored = offsets(place)
    assert set.union(*stored.values()) == set(range(9))
    assert all(stored.values())


def require_erased(place: ReplayPlace) -> None:
    for table, found in offsets(place).items():
        assert not found & THEIRS, table
    assert set.union(*offsets(place).values()) == {0, 7, 8}
    assert place.rows("SELECT DISTINCT stream_id FROM {}.ai_stream_status") == [("others",)]
    kept = archived(place)
    assert {offset for offset, record in kept.items() if record.value is None} == THEIRS
    assert WHO in (kept[7].value or b"").decode()
    gaps = place.rows("SELECT source_offset, next_offset FROM {}.known_gaps WHERE reason = 'erased' ORDER BY 1")
    assert {at for first, behind in gaps for at in range(first, behind)} >= THEIRS - {4}
    assert place.rows("SELECT DISTINCT stream_id FROM {}.fact_workflow_sessions") == [("others",)]
    assert conserved(place) is State.OK


def test_a_plan_shows_what_goes_and_what_stays_and_changes_nothing(place: ReplayPlace) -> None:
    ingested(place)
    before = offsets(place), archived(place)
    found = erase(place, "plan", *OF_THEM)
    assert {line.partition(":")[0] for line in found["goes"]} == {
        "ai_stream_status",
        "archive archive",
        "facts of 1 session",
        "ignored_events",
        "streaming_events",
        "streaming_events_dlq",
        "streaming_events_quarantine",
    }
    assert "archive archive: 6 records in 1 file" in found["goes"]
    assert "events.ndjson: the file" in found["stays"]
    assert [step["name"] for step in found["steps"]] == ["stopped", "archives", "gaps", "rows", "derived", "receipt"]
    assert (offsets(place), archived(place)) == before
    assert "none was named" in str(erase(place, "plan", *OF_THEM[:4])["stays"])


def test_nothing_of_them_is_left_and_nothing_else_is_gone(place: ReplayPlace) -> None:
    ingested(place)
    assert place.rows("SELECT count() FROM {}.fact_workflow_sessions WHERE stream_id = 'theirs'") == [(1,)]
    erase(place, "run", *OF_THEM)
    require_erased(place)
    assert erase(place, "plan", *OF_THEM)["goes"] == []
    (receipt,) = receipts(place)
    assert receipt["path"] == "data.user_id"
    assert receipt["archived"] == {"archive": 6}
    for path in (place.folder / "lpa-data").rglob("*.json"):
        assert WHO not in path.read_text()


def test_neither_a_replay_of_the_archive_nor_one_of_a_copy_brings_it_back(place: ReplayPlace) -> None:
    ingested(place)
    (place.folder / "copied").mkdir()
    for path in (place.folder / "archive").rglob("*.zst"):
        copy = place.folder / "copied" / path.relative_to(place.folder / "archive")
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(path.read_bytes())
    erase(place, "run", *OF_THEM)
    for archive in ("archive", "copied"):
        said = place.replay("--all", "--from", "archive", "--archive", archive, "--to", "local", "--fix", "fix.toml")
        assert "erased" in str(said)
        require_erased(place)


def test_a_person_at_a_terminal_is_asked_first(place: ReplayPlace, monkeypatch: pytest.MonkeyPatch) -> None:
    ingested(place)
    before = offsets(place), archived(place)
    for stream in ("stdin", "stdout"):
        monkeypatch.setattr(f"sys.{stream}.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda: "n")
    asked = erase(place, "run", *OF_THEM, status=1)
    assert asked.endswith("This cannot be undone.\nErase? [y/N] ")
    assert (offsets(place), archived(place)) == before


STEPS = ("_erase_archived", "_write_gaps", "_remove", "_derive", "_receipt")


@pytest.mark.parametrize("step", STEPS)
def test_killed_in_a_step_it_goes_on(place: ReplayPlace, step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is asked for then: the interrupted one is finished first."""
    ingested(place)
    done = getattr(erasure, step)

    def killed(*arguments: Any) -> Any:
        done(*arguments)
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(erasure, step, killed)
        with pytest.raises((KeyboardInterrupt, SystemExit)):
            erase(place, "run", *OF_THEM)
    (place.folder / "more.ndjson").write_bytes(json.dumps(of_them("more")).encode() + b"\n")
    assert "run `lpa erase run` again" in place.lpa("ingest", "more.ndjson", status=1)
    erase(place, "run", *OF_THEM)
    require_erased(place)
    assert erase(place, "run", *OF_THEM)["goes"] == []


def test_what_came_back_is_erased_again_by_its_receipts(place: ReplayPlace) -> None:
    ingested(place)
    columns = "id, type, timestamp, raw_json, dedup_key, source_topic, source_partition, source_offset"
    rows = place.rows(f"SELECT {columns}, toString(ingestion_timestamp) FROM {{}}.streaming_events")
    erase(place, "run", *OF_THEM)
    for row in rows:
        place.engine.command(
            f"INSERT INTO {place.database}.streaming_events ({columns}, ingestion_timestamp) VALUES "
            f"({', '.join(repr(value) for value in row)})",
            settings={"insert_deduplicate": 0},
        )
    assert offsets(place)["streaming_events"] & THEIRS
    erase(place, "run", "--again", "--archive", "archive")
    assert not offsets(place)["streaming_events"] & THEIRS


def test_a_masked_value_is_found_by_the_value_itself(place: ReplayPlace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUALITY_MASKED_PATHS", "data.user_id=hash")
    monkeypatch.setenv("QUALITY_MASK_KEY", "a key of at least sixteen")
    place.ingest([of_them("one"), event("other", user_id="another", **STREAMED)])
    erase(place, "run", "--path", "data.user_id", "--value", WHO)
    assert offsets(place)["streaming_events"] == {1}


def test_facts_of_a_stream_go_even_if_retention_took_its_events(place: ReplayPlace) -> None:
    ingested(place)
    for table in ("streaming_events", "ai_stream_status"):
        theirs = "source_offset IN (1, 6)"
        place.engine.command(f"DELETE FROM {place.database}.{table} WHERE {theirs}", settings=NOW)
    assert place.rows("SELECT count() FROM {}.fact_workflow_sessions WHERE stream_id = 'theirs'") == [(1,)]
    found = erase(place, "run", "--path", "data.stream_id", "--value", "theirs")
    assert "facts of 1 session" in found["goes"]
    assert place.rows("SELECT DISTINCT stream_id FROM {}.fact_workflow_sessions") == [("others",)]
    assert erase(place, "plan", "--path", "data.stream_id", "--value", "theirs")["goes"] == []


def test_facts_of_their_jobs_go(place: ReplayPlace) -> None:
    jobs = [
        {"id": f"{who}-{kind}", "type": "ai_batch_request", "timestamp": MOMENT, "gateway": "g", "data": {
            "type": f"ai_batch_request_{kind}", "request_id": who, "user_id": who, "pipeline": "llm", "success": True,
        }}
        for who in (WHO, "another") for kind in ("received", "completed")
    ]  # fmt: skip
    place.ingest(jobs)
    requests = "SELECT request_id FROM {}.fact_jobs ORDER BY 1"
    assert place.rows(requests) == [("another",), (WHO,)]
    found = erase(place, "run", "--path", "data.user_id", "--value", WHO)
    assert "facts of 1 job" in found["goes"]
    assert place.rows(requests) == [("another",)]


def test_what_cannot_be_meant_is_refused_in_one_line(place: ReplayPlace) -> None:
    place.ingest([event("other", user_id="another", **STREAMED)])
    for options, said in (
        ((), "give --path and --value"),
        (("--path", "data.user_id"), "give --path and --value"),
        (("--path", "data user", "--value", "x"), "this is not a path"),
        (("--path", "data.user_id", "--value", " "), "--value is empty"),
        (("--again", "--path", "data.user_id"), "leave out --path and --value"),
        (("--path", "id", "--value", "x", "--archive", "nowhere"), "archive nowhere: No such file"),
    ):
        problem = erase(place, "run", *options, status=1 if "nowhere" in options else 2)
        assert said in problem
        assert problem.count("\n") == 1


def test_records_that_no_archive_has_yet_are_not_left_behind(place: ReplayPlace) -> None:
    ingested(place)
    spool = place.folder / "lpa-data" / "archive-spool"
    (spool / "events.ndjson-0-490520-00000000000000000000-00000000000000000001-1767873600000.segment").write_bytes(b"")
    assert "start the worker and stop it" in erase(place, "run", *OF_THEM, status=1)
    assert offsets(place)["streaming_events"] & THEIRS
