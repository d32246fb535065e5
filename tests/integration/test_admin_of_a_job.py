"""The admin endpoint of a running job, as somebody with curl sees it; what it counts; stop with savepoint, and back."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Callable

import msgspec
from services.administration import curl, stop_with_savepoint
from services.job import Job, event, headers

from lpa_core.tables.row_layout import QUARANTINE_TABLE

NewJob = Callable[..., Job]


def test_every_path_answers(new_job: NewJob) -> None:
    job = new_job(partitions=2)
    job.start()
    job.produce([event("one"), b"not json"])
    job.until_committed(2)
    assert curl(job, "/healthz") == (200, '{"healthy":true}')
    assert curl(job, "/readyz") == (200, '{"ready":true,"reasons":[]}')
    assert json.loads(curl(job, "/overview")[1])["jobs-running"] == 1
    (overview,) = json.loads(curl(job, "/jobs/overview")[1])["jobs"]
    assert (overview["state"], overview["tasks"]["running"]) == ("RUNNING", 2)
    jid = overview["jid"]
    details = json.loads(curl(job, f"/jobs/{jid}")[1])
    assert details["report"]["accepted"] == 1
    assert details["report"]["dead_lettered"] == 1
    assert [partition["committed-offset"] for partition in details["partitions"]] == [2, 0]
    status, page = curl(job, "/")
    assert status == 200
    assert f"ingest {job.topic}" in page
    assert "lpa_records_accepted_total 1.0" in curl(job, "/metrics")[1]
    assert curl(job, f"/jobs/{jid}/savepoints/unknown")[0] == 404
    assert curl(job, "/jobs/unknown")[0] == 404
    for options in ((), ("-H", "Authorization: Bearer wrong")):
        assert curl(job, f"/jobs/{jid}/stop", "-X", "POST", *options)[0] == 401
    assert job.running
    assert job.stop() == 0


def test_a_stop_with_savepoint_and_a_restore_lose_and_repeat_nothing(new_job: NewJob) -> None:
    job = new_job(partitions=2)
    job.start()
    for partition in (0, 1):
        job.produce([event(f"{partition}-{number}") for number in range(100)], partition)
    job.until(lambda: job.committed(0) > 0, "something is committed")
    location = stop_with_savepoint(job)
    for partition in (0, 1):
        job.produce([event(f"{partition}-{number}") for number in range(50, 150)], partition)

    # Upgraded in place, and then on a machine that has nothing.
    for elsewhere in (False, True):
        if elsewhere:
            kept = job.folder / "savepoint"
            shutil.copytree(location, kept)
            location = str(kept)
            shutil.rmtree(job.data)
            job.produce([event(f"{partition}-{number}") for partition in (0,) for number in range(150)], 0)
        job.start("--from-savepoint", location)
        for partition in (0, 1):
            job.until_committed(350 if elsewhere and not partition else 200, partition)
        if elsewhere:
            assert job.stop() == 0
        else:
            location = stop_with_savepoint(job)
    stored = Counter((p, offset) for p in (0, 1) for offset in [*range(100), *range(150, 200)])
    assert job.stored() == stored
    repeated = [*((p, offset) for p in (0, 1) for offset in range(100, 150)), *((0, o) for o in range(200, 350))]
    assert job.stored(QUARANTINE_TABLE.name) == Counter(repeated)


def test_a_savepoint_of_another_group_is_refused(new_job: NewJob) -> None:
    job = new_job()
    job.start()
    job.produce([event("one")])
    job.until_committed(1)
    location = stop_with_savepoint(job)
    other = new_job()
    other.start("--from-savepoint", location, ready=False)
    assert other.wait() == 1
    text = other.log.read_text()
    assert f"is of the group {job.environment['QUALITY_GROUP_ID']}, not" in text
    assert "Traceback" not in text


def test_every_reject_is_counted_and_has_its_record(new_job: NewJob) -> None:
    job = new_job()
    job.start(CLICKHOUSE_SINK_MAX_RECORD_BYTES="10000")
    sent = [b"{", b"", event("v", version="99"), b'{"type": 7}', event("big", gateway="x" * 20_000), event("twice")]
    job.produce([*sent, event("twice"), event("refused")])
    job.until_committed(len(sent) + 2)
    by_reason = {
        tuple(sorted(labels)): value
        for (name, labels), value in job.metrics().items()
        if name == "lpa_records_dead_lettered_total"
    }
    records = job.records(job.dlq)
    counted = Counter((headers(record)["class"], headers(record)["reason"]) for record in records)
    assert sum(counted.values()) == 5
    assert len({class_ for class_, _ in counted}) >= 4
    assert by_reason == {
        (("class", class_), ("reason", reason)): float(count) for (class_, reason), count in counted.items()
    }
    for record in records:
        told, envelope = headers(record), msgspec.json.decode(record.value() or b"")
        assert set(told) == {"reason", "class", "stage", "source", "attempt", "first_failure_ms"}
        assert told["source"].startswith(f"{job.topic}:0:")
        assert told["attempt"] == "0"
        assert envelope["failure"]["reason"] == told["reason"]
        assert record.key() in ((envelope.get("dedupKey") or "").encode(), told["source"].encode())
    (duplicate,) = job.records(job.quarantine)
    assert headers(duplicate)["source"] == f"{job.topic}:0:6"
    assert job.metric("lpa_records_quarantined_total", reason=headers(duplicate)["reason"]) == 1
    assert job.stop() == 0


def test_an_event_that_the_sink_refuses_is_counted_as_a_dead_letter(new_job: NewJob) -> None:
    job = new_job()
    with job.clickhouse.client() as client:
        client.command(
            "ALTER TABLE livepeer_analytics.streaming_events ADD CONSTRAINT no_such_gateway CHECK gateway != 'refused'"
        )
    job.start()
    job.produce([event("good"), event("bad", gateway="refused"), event("bad")])
    job.until_committed(3)
    (record,) = job.records(job.dlq)
    told = headers(record)
    assert (told["reason"], told["source"]) == ("sink_write_failed", f"{job.topic}:0:1")
    assert job.metric("lpa_records_dead_lettered_total", **{"class": told["class"], "reason": told["reason"]}) == 1
    assert job.stop() == 0
    assert job.stored()[(0, 0)] == 1
    assert job.stored()[(0, 1)] == 0
