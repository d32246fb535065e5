"""One group on several topics, which hold events of different orgs (docs/spec/producers.md section 2)."""

from __future__ import annotations

import json
import os
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from confluent_kafka import Consumer, TopicPartition
from services.job import Job, event
from services.materializer import Materializer, behind
from services.preloaded import preloaded_lpa
from services.processes import PATIENCE

from lpa_core.kafka.topics import apply, wanted_topics
from lpa_core.settings.loading import load
from lpa_core.tables.row_layout import DLQ_TABLE, QUARANTINE_TABLE, RAW_TABLE

NewJob = Callable[..., Job]


def on_two_topics(job: Job) -> str:
    """Have the job read a second topic, of the org b beside a; answer its name."""
    second = f"{job.topic}-second"
    job.environment["QUALITY_INPUT_TOPICS"] = f"{job.topic},{second}"
    job.environment["QUALITY_TOPIC_ORG_MAP"] = f"{job.topic}=a,{second}=b"
    settings = load(job.environment)
    apply(job.admin, wanted_topics(settings, 1), settings)
    return second


def send(job: Job, topic: str, *values: bytes) -> None:
    for value in values:
        job.send(value, topic=topic)
    job.produce([])


def rows(job: Job, table: str = RAW_TABLE.name, columns: str = "org, source_topic, source_offset") -> list[Any]:
    with job.clickhouse.client() as client:
        return sorted(client.query(f"SELECT {columns} FROM livepeer_analytics.{table}").result_rows)


def committed(job: Job, topic: str) -> int:
    group = {"bootstrap.servers": job.bootstrap, "group.id": job.environment["QUALITY_GROUP_ID"], "log_level": 0}
    consumer = Consumer(group)
    try:
        (found,) = consumer.committed([TopicPartition(topic, 0)], PATIENCE)
        return int(found.offset)
    finally:
        consumer.close()


def lpa(job: Job, *arguments: str, status: int = 0) -> Any:
    done = subprocess.run(
        [preloaded_lpa(), *arguments, "--json"],
        capture_output=True,
        env={**os.environ, **job.environment},
        cwd=job.folder,
        timeout=120,
    )
    assert done.returncode == status, done.stderr.decode()
    return json.loads(done.stdout) if done.stdout else done.stderr.decode()


@pytest.fixture(params=["rocksdb", "redis"])
def job(request: pytest.FixtureRequest, new_job: NewJob) -> Iterator[Job]:
    """With claims of each partition's own, or shared: there, keys of two topics meet."""
    return new_job(dedup=request.getfixturevalue("redis_url")) if request.param == "redis" else new_job()


def test_an_id_of_a_b_and_a_again_makes_two_events_and_a_duplicate_over_a_restart(job: Job) -> None:
    first, second = job.topic, on_two_topics(job)
    job.start()
    send(job, first, event("one"))
    send(job, second, event("one"))
    job.until(lambda: len(rows(job)) == 2, "both are stored")
    assert job.stop() == 0
    job.start()
    send(job, first, event("one"))
    job.until(lambda: len(rows(job, QUARANTINE_TABLE.name)) == 1, "the third is in quarantine")
    assert rows(job) == [("a", first, 0), ("b", second, 0)]
    assert rows(job, QUARANTINE_TABLE.name) == [("a", first, 1)]
    assert rows(job, "stream_trace_events", "org, raw_event_uid") == [("a", "one"), ("b", "one")]
    assert {job.metric("lpa_records_consumed_total", topic=each, partition="0") for each in (first, second)} == {1, 0}


def test_a_session_id_of_both_is_a_session_of_each(new_job: NewJob) -> None:
    """The topic of touches names the org of a session, and the key by which its touches stay in order."""
    job = new_job()
    first, second = job.topic, on_two_topics(job)
    job.start()
    worker = Materializer(job, 0)
    worker.start()
    try:
        send(job, first, event("one"))
        send(job, second, event("one"), event("two"))
        facts = lambda: rows(job, "fact_workflow_sessions", "org, workflow_session_id, event_count")  # noqa: E731
        job.until(lambda: len(facts()) == 2 and behind(job) == 0, "both are derived")
        ((a, name, of_a), (b, same, of_b)) = facts()
        assert (a, of_a, b, of_b, name == same) == ("a", 1, "b", 2, True)
    finally:
        worker.kill()


def test_lost_claims_are_rebuilt_for_the_org_that_made_them(new_job: NewJob) -> None:
    job = new_job()
    first, second = job.topic, on_two_topics(job)
    job.start()
    send(job, first, event("one"))
    send(job, second, event("two"))
    job.until(lambda: len(rows(job)) == 2, "both are stored")
    assert job.stop() == 0
    (job.data / "dedup").rename(job.data / "lost")
    job.start()
    send(job, first, event("one"), event("two"))
    job.until(lambda: committed(job, first) == 3, "all is delivered")
    assert rows(job, QUARANTINE_TABLE.name) == [("a", first, 1)]
    assert rows(job) == [("a", first, 0), ("a", first, 2), ("b", second, 0)]


def test_a_savepoint_has_all_topics_and_one_of_a_single_topic_is_taken(new_job: NewJob) -> None:
    job = new_job()
    job.start()
    send(job, job.topic, event("one"))
    job.until_committed(1)
    assert job.stop() == 0
    of_one = lpa(job, "savepoint", "create")["location"]
    second = on_two_topics(job)
    job.start()
    send(job, job.topic, event("two"))
    send(job, second, event("one"))
    job.until(lambda: (committed(job, job.topic), committed(job, second)) == (2, 1), "all is delivered")
    assert job.stop() == 0
    of_both = lpa(job, "savepoint", "create")["location"]

    assert lpa(job, "savepoint", "restore", of_one)
    assert (committed(job, job.topic), committed(job, second)) == (1, 1)
    assert lpa(job, "savepoint", "restore", of_both)
    assert (committed(job, job.topic), committed(job, second)) == (2, 1)
    del job.environment["QUALITY_INPUT_TOPICS"], job.environment["QUALITY_TOPIC_ORG_MAP"]
    assert f"is of the topic {second}, not {job.topic}" in lpa(job, "savepoint", "restore", of_both, status=1)


def test_a_replay_goes_to_the_topic_that_a_record_came_from(new_job: NewJob) -> None:
    job = new_job()
    first, second = job.topic, on_two_topics(job)
    job.environment["QUALITY_SUPPORTED_VERSIONS"] = "2"
    job.start()
    send(job, first, event("one"))
    send(job, second, event("one"))
    job.until(lambda: len(rows(job, DLQ_TABLE.name)) == 2, "both are dead letters")
    assert job.stop() == 0
    job.environment["QUALITY_SUPPORTED_VERSIONS"] = "1"
    job.start()
    figures = lpa(job, "replay", "run", "--all", "--sink", job.sink)
    assert figures["published"] == 2
    job.until(lambda: len(rows(job)) == 2, "both are stored")
    assert rows(job) == [("a", first, 1), ("b", second, 1)]
    assert rows(job, QUARANTINE_TABLE.name) == []


def test_a_topic_that_is_read_from_its_end_begins_where_it_was_decided_and_nothing_is_lost(new_job: NewJob) -> None:
    job = new_job()
    first, second = job.topic, on_two_topics(job)
    job.environment["QUALITY_TOPIC_RESET_STRATEGY_MAP"] = f"{second}=latest"
    send(job, first, event("old"))
    send(job, second, *(event(f"old-{number}") for number in range(3)))
    job.start()
    job.until(lambda: (committed(job, first), committed(job, second)) == (1, 3), "both have begun")
    job.kill()
    send(job, second, event("new-1"), event("new-2"))
    job.until_left()
    job.start()
    job.until(lambda: committed(job, second) == 5, "all is delivered")
    assert rows(job) == [("a", first, 0), ("b", second, 3), ("b", second, 4)]
    assert rows(job, "known_gaps", "source_topic, source_offset, next_offset, reason") == [(second, 0, 3, "not_read")]
    checks = {check["name"]: check for check in lpa(job, "health", "--sink", job.sink)["checks"]}
    judged = ("conservation", "group_offsets", "consumer_lag")
    assert Counter(checks[name]["state"] for name in judged) == {"ok": 3}, [checks[name]["detail"] for name in judged]
    assert job.stop() == 0
    assert lpa(job, "recover", "offset-loss", "--sink", job.sink)["damage"] == []
