"""`lpa trace` beside a running group: every fate of a record from Kafka, and what is said while Kafka is away."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from services.job import Job, event, headers

from lpa_core.cli import run
from lpa_core.testing.ports import free_port

NewJob = Callable[..., Job]
PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
FIX = """
[[fix]]
reason = "missing_field"
where = [{ path = "data.type", missing = true }]
steps = [{ set = "data.type", value = "gateway_receive_stream_request" }]
"""


def test_without_an_archive_a_setting_decides_if_rejects_keep_their_traceparent(new_job: NewJob) -> None:
    for number, (value, kept) in enumerate({"keep": PARENT, "ignore": ""}.items()):
        job = new_job()
        job.start(QUALITY_TRACEPARENT=value)
        job.produce([event(f"{number}", type="unknown")], headers=[("traceparent", PARENT.encode())])
        job.until_committed(1)
        assert job.stop() == 0
        (record,) = job.records(job.dlq)
        assert headers(record).get("traceparent", "") == kept
        with job.clickhouse.client() as client:
            rows = client.query(
                "SELECT traceparent FROM livepeer_analytics.streaming_events_dlq WHERE source_topic = {topic:String}",
                parameters={"topic": job.topic},
            ).result_rows
        assert [tuple(row) for row in rows] == [(kept,)]


def test_every_fate_of_a_record_from_kafka_is_told(
    new_job: NewJob, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    job = new_job()
    for name, value in job.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(job.folder)
    (job.folder / "fix.toml").write_text(FIX)

    def lpa(*words: str, status: int = 0) -> Any:
        capsys.readouterr()
        found = run([*words, "--sink", job.sink, "--json"])
        said = capsys.readouterr()
        assert found == status, said.err
        return json.loads(said.out)

    def traced(subject: str, *options: str, status: int = 0) -> list[Mapping[str, Any]]:
        return list(lpa("trace", subject, *options, status=status)["records"])

    with job.clickhouse.client() as client:
        client.command(
            "ALTER TABLE livepeer_analytics.streaming_events ADD CONSTRAINT good CHECK position(raw_json, 'poison') = 0"
        )
    lacking = {"stream_id": "s", "request_id": "r"}
    job.start("--archive", "archive")
    sent = [event("a"), event("a"), event("bad", data=lacking), event("seen", type="webrtc_stats"), event("poison")]
    job.produce(sent, headers=[("traceparent", PARENT.encode())])
    job.until_committed(5)
    at = f"{job.topic}/0"

    (accepted,) = traced(f"{at}/0", "--archive", "archive")
    assert (accepted["fate"], accepted["claim"]["owner"]) == ("accepted", accepted["position"])
    start, end = accepted["range"]["start"], accepted["range"]["end"]
    assert start == 0 < end <= 5
    tokens = {block["table"]: block["token"] for block in accepted["blocks"]}
    assert tokens.keys() == {"stream_trace_events", "streaming_events"}
    for table, token in tokens.items():
        assert token.startswith(f"{job.topic}:0:{start}-{end}:")
        assert token.endswith(f":{table}")
    assert [record["fate"] for record in traced("a")] == ["accepted", "duplicate"]
    (ignored,) = traced(f"{at}/3")
    assert (ignored["fate"], ignored["ignore_reason"]) == ("ignored", "ignored_event_family")
    (withdrawn,) = traced(f"{at}/4")
    assert withdrawn["failure"]["failure_class"] == "DLQ_SINK_WRITE"
    assert "stream_trace_events" in withdrawn["failure"]["withdrawn_from"]
    (later,) = traced(f"{at}/9999", status=1)
    assert "no such record was sent yet" in later["remark"]

    lpa("replay", "run", "--all", "--from", "dlq-table", "--reason", "missing_field", "--fix", "fix.toml")
    job.until(lambda: len(traced("bad")) == 2, "the copy is stored")
    dead, copy = traced("bad")
    assert (dead["fate"], copy["fate"], copy["origin"]) == ("dead letter", "accepted", dead["position"])
    assert [replay["outcome"] for replay in dead["replays"]] == ["published"]
    assert dead["traceparent"] == PARENT
    published = {headers(message)["source"]: headers(message) for message in job.records(job.dlq)}
    assert {each["traceparent"] for each in published.values()} == {PARENT}
    again = [message for message in job.records(job.topic) if b"__replay" in (message.value() or b"")]
    assert [headers(message) for message in again] == [{"traceparent": PARENT}]
    assert job.stop() == 0
    (archived,) = traced(f"{at}/0", "--archive", "archive")
    assert (job.folder / "archive" / archived["archive_file"]).is_file()
    assert archived["traceparent"] == PARENT, "the archive has it"

    monkeypatch.setenv("QUALITY_KAFKA_BOOTSTRAP", f"127.0.0.1:{free_port()}")
    answer = lpa("trace", f"{at}/9999", status=1)
    assert any(line.startswith("Kafka: ") for line in answer["not_asked"])
    assert answer["records"][0]["remark"].startswith("the tables have offsets 0 to ")
    (known,) = traced(f"{at}/0")
    assert known["fate"] == "accepted", "what is stored is told without Kafka"
