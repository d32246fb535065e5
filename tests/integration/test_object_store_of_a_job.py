"""A job that keeps its archive and its savepoints in an object store."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

import msgspec
from confluent_kafka import Message
from services.administration import stop_with_savepoint
from services.job import Job, event
from services.object_store import Bucket
from services.preloaded import preloaded_lpa

from lpa_core.tables.row_layout import DLQ_TABLE, QUARANTINE_TABLE
from lpa_sinks.archive import ArchivedRecord, read_archive
from lpa_sinks.clickhouse.client import connect, endpoint

NewJob = Callable[..., Job]

Received = tuple[int, int, int, Any, Any, Any]
"""Partition, offset, timestamp, key, headers, value."""


def of_the_topic(records: Iterable[Message]) -> Counter[Received]:
    return Counter(
        (r.partition(), r.offset(), r.timestamp()[1], r.key(), tuple(r.headers() or ()), r.value()) for r in records
    )


def of_the_archive(records: Iterable[ArchivedRecord]) -> Counter[Received]:
    return Counter((r.partition, r.offset, r.timestamp, r.key, tuple(r.headers or ()), r.value) for r in records)


def produce_some_of_all(job: Job, name: str) -> None:
    """Events, a duplicate, what cannot be decoded, a tombstone; with keys and headers, and without."""
    for partition in (0, 1):
        job.produce([event(f"{name}-{partition}-{number}") for number in range(100)], partition, key=b"key \xff")
        job.produce([event(f"{name}-{partition}-0"), b"not json", b"\xff\r\n"], partition, headers=[("h", b"\x00")])
        job.produce([None, b""], partition)


def test_the_archive_holds_what_the_topic_held(new_job: NewJob, bucket: Bucket) -> None:
    job, location = new_job(partitions=2), f"{bucket.url}/some/archive"
    job.start("--archive", location)
    produce_some_of_all(job, "one")
    for partition in (0, 1):
        job.until_committed(105, partition)
    assert job.stop() == 0
    found = of_the_archive(read_archive(location, [job.topic]))
    assert found == of_the_topic(job.records(job.topic))
    assert found.total() == 210
    assert sum(job.stored(DLQ_TABLE.name).values()) == 8


def test_its_archive_is_replayed_into_an_embedded_database(new_job: NewJob, bucket: Bucket) -> None:
    job, location = new_job(partitions=2), f"{bucket.url}/some/archive"
    job.start("--archive", location)
    began = time.time_ns() // 1_000_000
    produce_some_of_all(job, "one")
    for partition in (0, 1):
        job.until_committed(105, partition)
    assert job.stop() == 0

    def replay(*window: str) -> dict[str, Any]:
        where = ("--from", "archive", "--archive", location, "--to", "local", "--sink", "chdb://./copy")
        done = subprocess.run(
            [preloaded_lpa(), "replay", "run", *window, *where, "--json"],
            cwd=job.folder,
            env={**os.environ, **job.environment, "LPA_DATA_DIR": str(job.folder / "elsewhere")},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        found: dict[str, Any] = msgspec.json.decode(done.stdout)
        return found

    before = replay("--start", str(began - 7_200_000), "--end", str(began - 3_600_000))
    assert (before["read"], before["selected"]) == (0, 0), "no file of the window"
    whole = replay("--all")
    assert (whole["selected"], whole["would_pass"]) == (210, 200), whole
    assert replay("--all")["already_stored"] == 202, "a duplicate of each partition among them"
    copy = connect(endpoint(f"chdb://{job.folder / 'copy'}", database="livepeer_analytics", user=""))
    with copy, job.clickhouse.client() as original:
        keys = "SELECT dedup_key FROM livepeer_analytics.streaming_events ORDER BY dedup_key"
        assert copy.query(keys).result_rows == original.query(keys).result_rows


def test_a_killed_worker_s_archive_is_completed_by_its_next_start(new_job: NewJob, bucket: Bucket) -> None:
    job = new_job(partitions=2)
    job.start("--archive", bucket.url)
    produce_some_of_all(job, "one")
    job.until(lambda: job.committed(0) > 0, "something is committed")
    job.kill()
    produce_some_of_all(job, "two")
    job.start("--archive", bucket.url)
    for partition in (0, 1):
        job.until_committed(210, partition)
    assert job.stop() == 0
    # A range that was in work may be there twice; nothing is missing, nothing is another.
    found = of_the_archive(read_archive(bucket.url))
    assert found.keys() == of_the_topic(job.records(job.topic)).keys()


def test_a_savepoint_is_restored_on_a_machine_that_has_nothing(new_job: NewJob, bucket: Bucket) -> None:
    job = new_job(partitions=2)
    job.start(LPA_SAVEPOINT_DIR=f"{bucket.url}/savepoints")
    for partition in (0, 1):
        job.produce([event(f"{partition}-{number}") for number in range(100)], partition)
    job.until(lambda: job.committed(0) > 0, "something is committed")
    location = stop_with_savepoint(job)
    assert location.startswith(f"{bucket.url}/savepoints/")

    shutil.rmtree(job.data)
    with job.clickhouse.client() as client:
        # Claims come from the savepoint: those that a rebuild would find are made to look too old for it.
        client.command(
            "ALTER TABLE livepeer_analytics.streaming_events UPDATE ingestion_timestamp = '2020-01-01' "
            f"WHERE source_topic = '{job.topic}' SETTINGS mutations_sync = 1"
        )
    for partition in (0, 1):
        job.produce([event(f"{partition}-{number}") for number in range(50, 150)], partition)
    job.start("--from-savepoint", location)
    for partition in (0, 1):
        job.until_committed(200, partition)
    assert job.stop() == 0
    assert job.stored() == Counter((p, offset) for p in (0, 1) for offset in [*range(100), *range(150, 200)])
    assert job.stored(QUARANTINE_TABLE.name) == Counter((p, offset) for p in (0, 1) for offset in range(100, 150))
