"""From a reason to its records to one record, whose payload is text, whatever it holds."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

import attrs
import pytest
from starlette.testclient import TestClient

from lpa_core.jobs.assembly import Job
from lpa_core.jobs.ingest import ingest
from lpa_core.plugins.manager import PluginManager
from lpa_ops.console.page import ConsoleSources
from lpa_ops.dead_letters.statement import dead_letters
from lpa_ops.testing.checked_database import CheckedDatabase
from lpa_ops.testing.page_text import page

SCRIPT = '</pre><script>alert("x")</script><img src=x onerror=alert(1)>'
REVERSED = "abc\u202edef\u2066"
HOSTILE = "hostile.ndjson"


@pytest.fixture(scope="module")
def hostile(day: CheckedDatabase, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    """Positions of dead letters that hold what breaks pages."""
    payloads: list[bytes] = [
        json.dumps({"id": SCRIPT, "type": SCRIPT, "timestamp": "1", "data": {SCRIPT: SCRIPT}}).encode(),
        json.dumps({"id": REVERSED, "type": "stream_trace", "x": "\x00\x1b[31m\x07"}, ensure_ascii=False).encode(),
        b'{"id": "long", "type": "nothing", "x": "' + b"y" * 1_000_000 + b'"}',
        b"\xff\xfe<script>alert(2)</script>",
        b'{"id": "deep", "x": ' + b"[" * 500 + b"]" * 500 + b"}",
        b'{"id": "deeper", "x": ' + b"[" * 5000 + b"]" * 5000 + b"}",
        b'{"id": "wide and deep", "x": ' + b"[" * 900 + b"1" + b",1" * 30_000 + b"]" * 900 + b"}",
        b'{"id": "open' + b'\\"' * 100_000,
    ]
    folder = tmp_path_factory.mktemp("hostile")  # the day's own has the checkpoints of the day
    settings = attrs.evolve(day.settings, lpa=attrs.evolve(day.settings.lpa, data_dir=folder))
    file = folder / HOSTILE
    file.write_bytes(b"".join(payload + b"\n" for payload in payloads))
    ingest(Job(str(file), [day.sink], "memory://"), settings, PluginManager(settings))
    yield [f"{HOSTILE}/0/{offset}" for offset in range(len(payloads))]
    day.run(f"DELETE FROM day.streaming_events_dlq WHERE source_topic = '{HOSTILE}'")


def test_groups_lead_to_records_and_to_one_record(browser: TestClient, day: CheckedDatabase) -> None:
    content = browser.get("/failures.json").json()
    assert content["total"] == day.query("SELECT count() FROM day.streaming_events_dlq")[0][0]
    group = next(each for each in content["groups"] if each["event_type"] == "stream_trace")
    found = page(browser.get("/failures"))
    (link,) = {
        each
        for each in found.links
        if each.startswith("/failures?")
        and f"class={group['failure_class']}" in each
        and f"reason={group['failure_reason']}" in each
        and f"type={group['event_type']}" in each
    }
    of_group = browser.get(link.replace("/failures?", "/failures.json?")).json()
    assert of_group["total"] == group["total"] == len(of_group["records"])
    first = of_group["records"][0]
    at = f"{first['source_topic']}/{first['source_partition']}/{first['source_offset']}"
    links = page(browser.get(link)).links
    assert f"/failures/record?at={quote(at, safe='')}" in links
    record = browser.get("/failures/record.json", params={"at": at}).json()
    assert record["rejected"][0]["failure_reason"] == group["failure_reason"]
    assert record["trace"]["records"][0]["fate"] == "dead letter"


def test_what_became_of_a_record_is_the_same_whatever_window_finds_it(
    browser: TestClient, day: CheckedDatabase
) -> None:
    known = day.query(
        "SELECT source_topic, source_partition, source_offset, state FROM "
        f"({dead_letters('toDateTime(0)').replace('livepeer_analytics.', 'day.')})"
    )
    states = {tuple(position): state for *position, state in known}
    shown = browser.get("/failures.json?since=7d").json()["records"]
    assert len(shown) == min(100, len(states)) > 0
    for row in shown:
        assert row["state"] == states[row["source_topic"], row["source_partition"], row["source_offset"]]


def test_quarantined_records_are_another_place(browser: TestClient, day: CheckedDatabase) -> None:
    content = browser.get("/failures.json?place=quarantine").json()
    assert content["total"] == day.query("SELECT count() FROM day.streaming_events_quarantine")[0][0]
    row = content["records"][0]
    at = f"{row['source_topic']}/{row['source_partition']}/{row['source_offset']}"
    record = browser.get("/failures/record.json", params={"at": at}).json()
    assert record["trace"]["records"][0]["claim"]["owner"] is not None, "who owns its key"
    text = page(browser.get("/failures/record", params={"at": at})).text
    assert "Its key is owned by" in text
    span = record["trace"]["records"][0]["range"]
    assert f"Range {span['start']} to {span['end'] - 1}, batch time" in text, "as the command says it"


def test_a_search_finds_ids_positions_and_what_payloads_name(browser: TestClient, day: CheckedDatabase) -> None:
    (event_id, topic, partition, offset, body) = day.query(
        "SELECT event_id, source_topic, source_partition, source_offset, payload_body FROM day.streaming_events_dlq "
        "WHERE event_id != '' AND payload_body LIKE '%stream_id%' LIMIT 1"
    )[0]
    stream = json.loads(body)["data"]["stream_id"]
    for sought in (event_id, f"{topic}/{partition}/{offset}", f"{topic}:{partition}:{offset}", stream):
        records = browser.get("/failures.json", params={"sought": sought}).json()["records"]
        assert (topic, offset) in {(each["source_topic"], each["source_offset"]) for each in records}
    found = page(browser.get("/failures", params={"sought": "'; DROP TABLE x --"}))
    assert "Nothing matches what you look for" in found.text
    assert day.query("SELECT count() FROM day.streaming_events_dlq")[0][0]


@pytest.mark.slow
def test_all_rejects_are_counted_even_if_not_all_kinds_of_them_are_shown(
    opened: Callable[..., TestClient], sources: ConsoleSources, day: CheckedDatabase
) -> None:
    browser = opened(sources)
    before = browser.get("/failures.json").json()
    day.run(
        "INSERT INTO day.streaming_events_dlq SELECT * EXCEPT number REPLACE ('many' AS source_topic, "
        "number AS source_offset, concat('made up ', toString(number)) AS event_type) "
        "FROM (SELECT * FROM day.streaming_events_dlq ORDER BY ingestion_timestamp DESC LIMIT 1) AS one "
        "CROSS JOIN numbers(250) AS many"
    )
    try:
        content = browser.get("/failures.json").json()
        assert content["total"] == before["total"] + 250
        assert len(content["groups"]) + content["more_groups"] == len(before["groups"]) + 250
        said = f"{content['more_groups']} more kinds of them are not shown"
        assert said in page(browser.get("/failures")).text
        assert said in page(browser.get("/replay")).text
    finally:
        day.run("DELETE FROM day.streaming_events_dlq WHERE source_topic = 'many'")
    assert "more kinds of them" not in page(browser.get("/failures")).text


@pytest.mark.slow
def test_failure_23_hostile_payloads_are_shown_as_text(
    opened: Callable[..., TestClient], sources: ConsoleSources, hostile: list[str], day: CheckedDatabase
) -> None:
    browser = opened(sources)
    paths = ["/failures?since=9d", "/failures?since=9d&sought=" + quote(SCRIPT)]
    paths += [f"/failures/record?at={quote(at, safe='')}" for at in hostile]
    paths += [f"/trace?of={quote(text)}" for text in (SCRIPT, REVERSED, *hostile)]
    paths += [f"/failures/repair?since=9d&which=one&at={quote(at, safe='')}" for at in hostile]
    until = f"&until={day.now_ms + 86_400_000 * 9}"
    for path in paths:
        answer = browser.get(path + (until if "since=" in path else ""))
        found = page(answer)
        scripts = [attributes for name, attributes in found.elements if name == "script"]
        assert len(scripts) == 3, "those of the console"
        for character in "\u202e\u2066\x00\x1b\x07":
            assert character not in answer.text, path
        assert len(answer.text) < 400_000, "a page shows the beginning of a long payload"
    for at in hostile:
        assert len(browser.get("/failures/record.json", params={"at": at}).content) < 4_000_000, at
    assert SCRIPT in page(browser.get(f"/failures/record?at={quote(hostile[0], safe='')}")).text
    assert r"abc\u202edef" in page(browser.get(f"/failures/record?at={quote(hostile[1], safe='')}")).text


def test_a_refused_page_is_offered_again_only_if_it_can_be_loaded(browser: TestClient) -> None:
    assert "" in page(browser.get("/failures/record?at=nothing"), 400).links, "this very address, whatever it is"
    assert "Load this page again" not in page(browser.post("/replay/start", data={}), 403).text


@pytest.mark.parametrize(("path", "status", "said"), [
    ("/failures?place=elsewhere", 400, "there are dlq and quarantine"),
    ("/failures/record?at=nothing", 400, "give a position such as"),
    ("/failures/record", 400, "give a position such as"),
    ("/failures/record?at=nowhere/0/1", 404, "no table knows this position"),
])  # fmt: skip
def test_what_cannot_be_shown_is_said(browser: TestClient, path: str, status: int, said: str) -> None:
    assert said in page(browser.get(path), status).text
    twin: Any = browser.get(path.replace("?", ".json?") if "?" in path else f"{path}.json")
    assert (twin.status_code, said in twin.json()["detail"]) == (status, True)


@pytest.mark.slow
def test_a_trace_of_an_id_leads_to_its_session(browser: TestClient, day: CheckedDatabase) -> None:
    assert "Enter an id or a position" in page(browser.get("/trace")).text
    (session,) = day.query("SELECT workflow_session_id FROM day.fact_workflow_sessions LIMIT 1")[0]
    answer = browser.get("/trace.json", params={"of": session}).json()
    assert answer["trace"]["sessions"][0]["id"] == session
    found = page(browser.get("/trace", params={"of": session}))
    assert f"/sessions/session?id={quote(session, safe='')}" in found.links
    assert "Nothing is known of it" in page(browser.get("/trace?of=nobody-knows-this")).text
