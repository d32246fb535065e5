"""Pages of sessions and jobs: find one, and see its life as the command tells it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from starlette.testclient import TestClient

from lpa_ops.console.sessions import timeline
from lpa_ops.console.text import figure
from lpa_ops.testing.checked_database import CheckedDatabase
from lpa_ops.testing.page_text import page


def test_sessions_and_jobs_lead_to_their_lives(browser: TestClient, day: CheckedDatabase) -> None:
    content = browser.get("/sessions.json").json()
    found = page(browser.get("/sessions"))
    assert len([each for each in found.links if each.startswith("/sessions/session?")]) == len(content["sessions"]) > 5
    assert len([each for each in found.links if each.startswith("/sessions/job?")]) == len(content["jobs"]) > 5
    for link in (
        next(each for each in found.links if each.startswith("/sessions/session?")),
        next(each for each in found.links if each.startswith("/sessions/job?")),
    ):
        assert "Trace it" in page(browser.get(link)).text
        assert browser.get(link.replace("?", ".json?")).status_code == 200
    assert day.query("SELECT count() FROM day.fact_jobs")[0][0] >= len(content["jobs"])


def test_a_session_is_told_as_the_command_tells_it(browser: TestClient, day: CheckedDatabase) -> None:
    (session, signals) = day.query(
        "SELECT workflow_session_id, event_count FROM day.fact_workflow_sessions "
        "WHERE startup_success AND orchestrator_address != '' ORDER BY event_count DESC LIMIT 1"
    )[0]
    content = browser.get("/sessions/session.json", params={"id": session}).json()
    assert content["lines"][0].startswith("outcome: success")
    assert content["segments"]
    assert sum(each["signals"] for each in content["signals"]) == signals
    answer = browser.get("/sessions/session", params={"id": session})
    found = page(answer)
    for line in content["lines"]:
        assert " ".join(line.replace("`", "").split()) in found.text
    drawn = [attributes for name, attributes in found.elements if name == "rect"]
    assert len(drawn) == len(content["timeline"]["segments"]) + len(content["timeline"]["signals"])
    assert all(0 <= float(str(each["x"])) <= 1000 for each in drawn)


def test_search_finds_a_session_by_each_of_its_ids(browser: TestClient, day: CheckedDatabase) -> None:
    ids = day.query(
        "SELECT workflow_session_id, stream_id, request_id, upper(orchestrator_address) FROM "
        "day.fact_workflow_sessions WHERE orchestrator_address != '' LIMIT 1"
    )[0]
    for sought in ids:
        sessions = browser.get("/sessions.json", params={"sought": sought}).json()["sessions"]
        assert ids[0] in [each["workflow_session_id"] for each in sessions]
    (job,) = day.query("SELECT job_id FROM day.fact_jobs LIMIT 1")[0]
    assert [each["job_id"] for each in browser.get("/sessions.json", params={"sought": job}).json()["jobs"]] == [job]
    assert "No session or job matches" in page(browser.get("/sessions?sought=' OR 1 --")).text


def test_lists_say_that_they_are_cut(
    browser: TestClient, day: CheckedDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "The latest" not in page(browser.get("/sessions?sought=nobody")).text
    monkeypatch.setattr("lpa_ops.console.sessions._MOST", 3)
    found = page(browser.get("/sessions"))
    assert "The latest 3 sessions" in found.text
    assert "The latest 3 jobs" in found.text
    ((address,),) = day.query(
        "SELECT orchestrator_address FROM day.fact_workflow_sessions WHERE orchestrator_address != '' "
        "GROUP BY orchestrator_address HAVING count() > 3 LIMIT 1"
    )
    content = browser.get("/sessions.json", params={"sought": address}).json()
    assert (len(content["sessions"]), content["more_sessions"]) == (3, True)
    assert "The latest 3 sessions" in page(browser.get("/sessions", params={"sought": address})).text


def test_what_is_charged_is_told_to_the_last_wei() -> None:
    assert figure(1_234_567_890_123_456_789) == "1,234,567,890,123,456,789"
    assert [figure(each) for each in (None, 0, 0.25, 1234.5, 7.0)] == ["-", "0", "0.25", "1,234", "7"]


def test_what_is_not_there_is_said(browser: TestClient) -> None:
    assert "no session has the id" in page(browser.get("/sessions/session?id=x"), 404).text
    assert "no job has the id" in page(browser.get("/sessions/job?id=x"), 404).text


def test_the_timeline_holds_everything() -> None:
    start = datetime(2026, 1, 8, tzinfo=UTC)
    fact = {
        "session_start_ts": start,
        "session_end_ts": start + timedelta(seconds=10),
        "first_stream_request_ts": start,
        "first_processed_ts": None,
        "first_playable_ts": start + timedelta(seconds=5),
    }
    segments = [{"start": start, "end": None, "orchestrator": "x"}]
    signals = [{"first": start, "last": start + timedelta(seconds=20), "kind": "trace", "what": "w"}]
    found = timeline(fact, segments, signals)
    assert found["end_ms"] - found["begin_ms"] == 20_000
    assert found["segments"] == [{"from": 0, "to": 1000, "orchestrator": "x"}]
    assert found["edges"] == [{"at": 0, "name": "request"}, {"at": 250, "name": "playable"}]
    assert timeline({**fact, "session_end_ts": None, "first_playable_ts": None}, [], [])["end_ms"] == found["begin_ms"]
