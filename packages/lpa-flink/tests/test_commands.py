"""Commands of ``lpa flink``: what they do at Flink's REST, what they note, and what they refuse to do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lpa_core.delivery.consumer_group import Commit
from lpa_flink.identity import JobIdentity
from lpa_flink.testing.flink_server import StandInJob
from lpa_flink.testing.place import P0, FlinkPlace, make_jar


def identity(place: FlinkPlace) -> JobIdentity:
    return JobIdentity.of(place.settings, place.plugins.plugins)


def started(place: FlinkPlace, *arguments: str) -> StandInJob:
    """Submit the job as commands do, and return it."""
    place.server.parameters = identity(place).parameters()
    status, _, err = place.lpa(*(arguments or ("submit",)))
    assert status == 0, err
    return place.server.jobs[0]


def stopped(place: FlinkPlace, *arguments: str) -> str:
    status, out, err = place.lpa("stop", *arguments)
    assert status == 0, err
    return out


def refused(place: FlinkPlace, *arguments: str) -> str:
    """What the command says; it started nothing."""
    runs = len(place.server.runs)
    status, out, error = place.lpa(*arguments)
    assert (status, out) in ((1, ""), (2, "")), out
    assert len(place.server.runs) == runs
    assert "\n" not in error
    return error


# submit


def test_submit_uploads_the_jar_and_starts_the_job_of_the_settings(place: FlinkPlace, monkeypatch: Any) -> None:
    monkeypatch.setenv("LPA_FLINK_PARALLELISM", "3")
    job = started(place)
    (run,) = place.server.runs
    assert run["entryClass"] == "com.livepeer.analytics.pipeline.StreamingEventsToClickHouse"
    assert run["parallelism"] == 3
    assert "savepointPath" not in run
    assert run["programArgsList"][:2] == ["--expect-version", identity(place).version]
    assert place.server.jars[0].endswith("_livepeer-analytics-flink-0.1.0.jar")
    note = json.loads((place.state / "jobs" / f"{job.id}.json").read_text())
    assert (note["job_id"], note["identity"]["topics"]) == (job.id, ["streaming_events"])


def test_submit_is_refused_where_reading_would_begin_at_the_end_of_a_topic(place: FlinkPlace, monkeypatch: Any) -> None:
    monkeypatch.setenv("QUALITY_TOPIC_RESET_STRATEGY_MAP", "streaming_events=latest")
    place.commits = {}
    assert "take the topic out of it, or run `lpa ingest` once" in refused(place, "submit")
    assert not (place.state / "jobs").exists()
    place.commits = {P0: Commit(100, "")}
    started(place)


def test_no_secret_stands_in_what_flink_is_sent(place: FlinkPlace, monkeypatch: Any) -> None:
    monkeypatch.setenv("CLICKHOUSE_PASSWORD", "a-secret-word")
    monkeypatch.setenv("LPA_ADMIN_TOKEN", "a-secret-word-too")
    started(place)
    assert "a-secret" not in json.dumps(place.server.runs)


def test_failure_34_submit_is_refused_while_the_group_has_members(place: FlinkPlace) -> None:
    place.members = True
    assert "has live members" in refused(place, "submit")


def test_submit_is_refused_while_a_job_of_that_name_runs(place: FlinkPlace) -> None:
    started(place)
    assert "runs already" in refused(place, "submit")
    place.server.jobs[0].state = "RESTARTING"
    assert "runs already" in refused(place, "submit")


def test_failure_34_submit_is_refused_while_a_range_of_a_worker_is_prepared(place: FlinkPlace) -> None:
    place.commits[P0] = Commit(100, 'lpa1:{"s":100}')
    assert "amid a range of streaming_events[0]: start `lpa ingest` once more" in refused(place, "submit")


def test_failure_34_submit_is_refused_while_a_job_left_something_that_is_not_stored(place: FlinkPlace) -> None:
    job = started(place)
    job.made(place.state / "checkpoints" / job.id / "chk-1", savepoint=False)
    job.state = "FAILED"
    assert "go on with it by `lpa flink restore`" in refused(place, "submit")


def test_failure_34_a_jar_of_another_version_is_refused(place: FlinkPlace, tmp_path: Path) -> None:
    make_jar(tmp_path / "livepeer-analytics-flink-0.1.0.jar", "0.0.9")
    assert "is of version 0.0.9, and lpa-flink of" in refused(place, "submit")


def test_a_job_that_fails_as_it_begins_is_told_with_its_reason(place: FlinkPlace) -> None:
    place.server.refuses["POST /jars/"] = (
        400,
        {"errors": ["org.apache.flink.x.RestHandlerException: Could not\nCaused by: a.b.C: no such topic"]},
    )
    assert "no such topic" in refused(place, "submit")


# stop


def test_stop_waits_for_the_savepoint_and_notes_it_beside_it(place: FlinkPlace) -> None:
    job = started(place)
    location = stopped(place)
    assert job.state == "FINISHED"
    note = json.loads((Path(location) / "lpa-savepoint.json").read_text())
    assert note["job"]["identity"] == {
        "name": "livepeer-analytics",
        "group": "flink-quality-gate-v1",
        "topics": ["streaming_events"],
        "version": identity(place).version,
        "state_version": 1,
        "fingerprint": identity(place).fingerprint,
    }
    assert note["partitions"] == [{"topic": "streaming_events", "partition": 0, "committed": 100, "stored": 90}]
    assert (note["drained"], note["stopped"], note["checkpoint_id"]) == (False, True, 1)


def test_a_job_that_somebody_started_over_rest_is_noted_as_well(place: FlinkPlace) -> None:
    place.server.jobs.append(StandInJob("c" * 32, parameters=identity(place).parameters()))
    location = stopped(place)
    assert json.loads((Path(location) / "lpa-savepoint.json").read_text())["job"]["job_id"] == "c" * 32


def test_a_job_that_is_not_ours_is_left_alone(place: FlinkPlace) -> None:
    place.server.jobs.append(StandInJob("c" * 32))
    assert "is not lpa's" in refused(place, "stop")
    assert place.server.jobs[0].state == "RUNNING"


def test_nothing_is_there_to_stop(place: FlinkPlace) -> None:
    assert "no job livepeer-analytics runs" in refused(place, "stop")


def test_a_savepoint_that_fails_leaves_the_job_and_no_note(place: FlinkPlace) -> None:
    started(place)
    failure = {"stack-trace": "a.B: x\n\tat y\nCaused by: java.io.IOException: No space left on device"}
    place.server.refuses["GET /jobs/" + place.server.jobs[0].id + "/savepoints/"] = (
        200,
        {"status": {"id": "COMPLETED"}, "operation": {"failure-cause": failure}},
    )
    assert "made no savepoint: No space left on device" in refused(place, "stop")
    assert not list(place.state.rglob("lpa-savepoint.json"))


# restore


def test_restore_goes_on_with_the_savepoint_of_stop(place: FlinkPlace) -> None:
    started(place)
    location = stopped(place)
    started(place, "restore")
    assert place.server.runs[-1]["savepointPath"] == f"file://{location}"
    assert "go on with it" in refused_after_end(place, "submit")


def refused_after_end(place: FlinkPlace, *arguments: str) -> str:
    place.server.jobs[0].state = "CANCELED"
    return refused(place, *arguments)


@pytest.mark.parametrize("form", ["{}", "file:{}", "file://{}"])
def test_submit_takes_a_savepoint_in_every_form_that_flink_writes(place: FlinkPlace, form: str) -> None:
    started(place)
    location = stopped(place)
    started(place, "submit", "--from-savepoint", form.format(location))
    assert place.server.runs[-1]["savepointPath"] == f"file://{location}"


def test_a_job_that_was_lost_goes_on_with_its_newest_checkpoint(place: FlinkPlace) -> None:
    job = started(place)
    for number in (9, 10):
        job.made(place.state / "checkpoints" / job.id / f"chk-{number}", savepoint=False)
    job.state = "FAILED"
    started(place, "restore", "latest")
    assert place.server.runs[-1]["savepointPath"].endswith("/chk-10")


def test_failure_34_an_older_savepoint_is_refused_unless_the_tables_were_taken_back(place: FlinkPlace) -> None:
    started(place)
    older = stopped(place)
    started(place, "restore")
    newer = stopped(place)
    said = refused(place, "restore", older)
    assert f"{older} is older than {newer}" in said
    assert "--tables-restored-too" in said
    started(place, "restore", older, "--tables-restored-too")
    assert place.server.runs[-1]["savepointPath"] == f"file://{older}"


def test_failure_34_a_savepoint_is_refused_if_somebody_has_written_since(place: FlinkPlace) -> None:
    started(place)
    stopped(place)
    place.rows[P0] = 90
    assert "is older than the tables: streaming_events[0] has rows up to 90" in refused(place, "restore")


def test_failure_34_tables_that_were_taken_back_too_far_are_refused(place: FlinkPlace) -> None:
    started(place)
    older = stopped(place)
    started(place, "restore")
    stopped(place)
    place.rows[P0] = 50
    for arguments in ((older, "--tables-restored-too"), ("latest",)):
        said = refused(place, "restore", *arguments)
        assert "is newer than the tables: streaming_events[0] had rows up to 89" in said


def test_failure_34_a_savepoint_of_another_job_topic_or_version_is_refused(place: FlinkPlace, monkeypatch: Any) -> None:
    started(place)
    location = stopped(place)
    path = Path(location) / "lpa-savepoint.json"
    note = json.loads(path.read_text())
    for field, value, words in (
        ("topics", ["elsewhere"], "it is of the topic elsewhere, not streaming_events"),
        ("group", "another", "it is of the group another"),
        ("state_version", 0, "its state has version 0"),
        ("name", "another", "it is of the job another"),
    ):
        changed = {**note, "job": {**note["job"], "identity": {**note["job"]["identity"], field: value}}}
        path.write_text(json.dumps(changed))
        assert words in refused(place, "restore", location)


def test_nothing_is_there_to_go_on_with(place: FlinkPlace) -> None:
    assert "has no state of the job livepeer-analytics" in refused(place, "restore")
    assert "there is no whole savepoint" in refused(place, "restore", "/nowhere")


def test_a_drained_job_is_not_gone_on_with_and_a_new_one_may_begin(place: FlinkPlace) -> None:
    started(place)
    place.commits[P0] = Commit(80, "")
    location = stopped(place, "--drain")
    assert place.commits[P0].offset == 90, "the next reader begins after the last row"
    assert "was drained" in refused(place, "restore", location)
    started(place)
    assert "savepointPath" not in place.server.runs[-1]


# status, savepoints


def test_status_shows_the_job_its_checkpoints_and_what_waits(place: FlinkPlace) -> None:
    job = started(place)
    job.made(place.state / "checkpoints" / job.id / "chk-1", savepoint=False, ago_seconds=4)
    job.metrics["numRestarts"] = 2
    job.operator_metrics |= {"0.source.pendingRecords": 5, "1.source.pendingRecords": 6}
    job.operator_metrics["0.gate.waitingRecords"] = 7
    job.exception = "a.B: x\nCaused by: c.D: broker away"
    status, out, _ = place.lpa("status", "--json")
    said = json.loads(out)
    assert status == 0
    assert said["job"]["restarts"] == 2
    assert (said["job"]["lag_records"], said["job"]["waiting_records"]) == (11, 7)
    assert said["job"]["checkpoints"]["age_seconds"] == 4
    assert said["job"]["exception"] == "broker away"
    assert said["job"]["checkpoints"]["failure"] == ""
    job.failure = "a.B: No space left on device"
    assert json.loads(place.lpa("status", "--json")[1])["job"]["checkpoints"]["failure"] == "No space left on device"
    _, out, _ = place.lpa("status")
    assert "broker away" in out
    assert "4 s ago" in out


def test_status_is_1_without_a_job_and_says_why_the_last_one_ended(place: FlinkPlace) -> None:
    assert place.lpa("status")[0] == 1
    job = started(place)
    job.state, job.exception = "FAILED", "a.B: disk full"
    status, out, _ = place.lpa("status")
    assert status == 1
    assert "disk full" in out


def test_a_cluster_that_is_not_there_is_one_line(place: FlinkPlace, monkeypatch: Any) -> None:
    monkeypatch.setenv("LPA_FLINK_ADDRESS", "http://127.0.0.1:1")
    monkeypatch.setattr("tenacity.nap.time.sleep", lambda seconds: None)
    assert "http://127.0.0.1:1/overview: " in refused(place, "status")


def test_savepoints_are_listed_and_made(place: FlinkPlace) -> None:
    assert "There is neither" in place.lpa("savepoints")[1]
    job = started(place)
    status, out, err = place.lpa("savepoints", "--create", "--json")
    assert status == 0, err
    (listed,) = json.loads(out)
    assert (listed["kind"], listed["job_id"], listed["topics"]) == ("savepoint", job.id, ["streaming_events"])
    assert job.state == "RUNNING"
    assert listed["location"] in "".join(place.lpa("savepoints")[1].split())
