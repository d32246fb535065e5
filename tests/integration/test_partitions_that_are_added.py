"""Partitions that are added to a topic while it is read."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import NewPartitions
from services.job import Job, Place, event
from services.materializer import Materializer
from services.processes import PATIENCE

from lpa_core.kafka.configuration import NEW_PARTITIONS_MS

NewJob = Callable[..., Job]

SECONDS = 3 * NEW_PARTITIONS_MS / 1000
"""The client looks, the group shares out its partitions, the first range closes."""


@pytest.fixture
def materializer(new_job: NewJob) -> Iterator[tuple[Job, Materializer]]:
    job = new_job()
    made = Materializer(job, 0)
    yield job, made
    made.kill()


def add_partitions(job: Job, topic: str, total: int) -> None:
    for made in job.admin.create_partitions([NewPartitions(topic, total)]).values():
        made.result(PATIENCE)


def send(job: Job, values: Sequence[bytes], partition: int) -> list[Place]:
    """By a producer that knows of the added partitions: the job's learnt of the topic before."""
    producer = Producer({"bootstrap.servers": job.bootstrap, "log_level": 0})
    for value in values:
        producer.produce(job.topic, value, partition=partition)
    assert producer.flush(30) == 0
    return [(partition, offset) for offset in range(len(values))]


def held(answer: tuple[int, object]) -> int:
    """How many partitions a job has, by its ``/jobs/overview``."""
    _, overview = answer
    return int(overview["jobs"][0]["tasks"]["total"]) if isinstance(overview, dict) else 0


def test_failure_16_an_added_partition_is_read_from_its_beginning_within_seconds(new_job: NewJob) -> None:
    job = new_job()
    job.start()
    before = job.produce([event("before")])
    add_partitions(job, job.topic, 3)
    added = time.monotonic()
    places = [*send(job, [event("one")], 1), *send(job, [event(f"two-{number}") for number in range(20)], 2)]
    job.until_committed(1, partition=1)
    job.until_committed(20, partition=2)
    assert time.monotonic() - added < SECONDS
    assert job.stop() == 0
    assert job.stored() == Counter([*before, *places])


def test_failure_16_workers_share_what_is_added_and_one_without_partitions_is_ready(new_job: NewJob) -> None:
    job, other = new_job(), new_job()
    other.environment.update(
        {name: value for name, value in job.environment.items() if name.startswith(("QUALITY_", "CLICKHOUSE_"))}
    )
    job.start()
    other.start()  # ready, though there is one partition for two workers
    add_partitions(job, job.topic, 4)
    job.until(lambda: [held(each.get("/jobs/overview")) for each in (job, other)] == [2, 2], "each has two", SECONDS)
    assert other.stop() == 0
    assert job.stop() == 0


def test_failure_16_a_materializer_reads_what_is_added_to_its_topic(
    materializer: tuple[Job, Materializer],
) -> None:
    job, worker = materializer
    worker.start()
    look = Job.looking_at(worker.port)
    job.until(lambda: held(look("/jobs/overview")) == 1, "the partition is assigned")
    add_partitions(job, job.environment["QUALITY_TOUCHED_TOPIC"], 3)
    job.until(lambda: held(look("/jobs/overview")) == 3, "the added ones are, too", SECONDS)
    assert worker.stop() == 0
