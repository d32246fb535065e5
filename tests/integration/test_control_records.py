"""Ends of transactions, aborted records, open transactions: there is nothing to read, and nothing to fear."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from confluent_kafka import TopicPartition
from services.health import health
from services.job import Job, event
from services.transactions import TransactionalProducer

NewJob = Callable[..., Job]
_LITTLE_LAG = {"HEALTH_CONSUMER_LAG_RECORDS": "20,50"}


def events(first: int, end: int) -> list[bytes]:
    return [event(f"id-{number}") for number in range(first, end)]


def delete_records(job: Job, before: int) -> None:
    """As retention does."""
    for future in job.admin.delete_records([TopicPartition(job.topic, 0, before)]).values():
        future.result()


def gaps(job: Job) -> list[tuple[int, int]]:
    with job.clickhouse.client() as client:
        query = (
            "SELECT source_offset, next_offset FROM livepeer_analytics.known_gaps WHERE source_topic = {topic:String}"
        )
        return sorted(map(tuple, client.query(query, parameters={"topic": job.topic}).result_rows))


def alarms(job: Job, **environment: str) -> dict[str, Any]:
    found = health(job, **environment)
    asked = ("conservation", "consumer_lag")
    return {name: found[name]["detail"] for name in asked if found[name]["state"] in ("warning", "critical")}


def test_failure_13_the_end_of_a_transaction_at_the_committed_offset_and_then_retention(new_job: NewJob) -> None:
    job = new_job()
    producer = TransactionalProducer(job.bootstrap, job.topic)
    job.start()
    producer.commit(events(0, 10))  # ends at 10
    producer.abort(events(50, 60))  # 11 to 20, and its end
    job.until_committed(22)
    assert job.stop() == 0
    assert job.committed() == 22, "behind all that nobody can read"
    assert {offset for first, behind in gaps(job) for offset in range(first, behind)} == {*range(10, 22)}
    delete_records(job, 22)

    # Also where the group stands before them, as after a savepoint or a backup was restored.
    job.commit(10)
    job.produce(events(10, 15))
    job.start()
    job.until_committed(27)
    assert job.metric("lpa_lag_records", topic=job.topic, partition="0") == 0
    assert job.stop() == 0
    assert job.stored() == Counter((0, offset) for offset in [*range(10), *range(22, 27)])
    assert alarms(job) == {}, "what retention took is known"


def test_failure_13_aborted_and_open_transactions_are_no_lag(new_job: NewJob) -> None:
    job = new_job()
    job.produce(events(0, 5))
    aborting, open_ = (TransactionalProducer(job.bootstrap, job.topic) for _ in range(2))
    for _ in range(3):
        aborting.abort(events(100, 200))
    assert alarms(job, **_LITTLE_LAG) == {}, "5 records wait, whatever stands behind them"
    job.start()
    job.until_committed(308)
    open_.leave_open(events(200, 300))
    job.until(lambda: job.get("/readyz")[0] == 200, "it is ready")
    assert alarms(job, **_LITTLE_LAG) == {}, "what cannot be read yet is no lag"
    job.until(lambda: job.metric("lpa_lag_records", topic=job.topic, partition="0") == 0, "the worker measured")
    open_.end()
    job.until_committed(409)
    assert job.stop() == 0
    assert job.stored() == Counter((0, offset) for offset in [*range(5), *range(308, 408)])
    assert alarms(job) == {}
