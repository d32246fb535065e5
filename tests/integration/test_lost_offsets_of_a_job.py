"""A group whose offsets are lost over tables that are not: nothing is stored twice, and one command leads out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest
from services.advice import follow
from services.job import Job, event

from lpa_sinks.testing.http_front import Fault


def events(first: int, end: int) -> list[bytes]:
    return [event(f"id-{number}") for number in range(first, end)]


def recover(job: Job, said: str) -> None:
    """What the message names first."""
    follow(said, "--sink", f"clickhouse://127.0.0.1:{job.clickhouse.port}")


def refused(job: Job, partition: int) -> str:
    """Start it; answer why it leaves the partition alone."""
    job.start(ready=False)
    found: list[str] = []

    def failed() -> bool:
        reasons = (job.get("/readyz")[1] or {}).get("reasons", [])
        found[:] = [reason for reason in reasons if f"{job.topic}[{partition}]" in reason and "offset-loss" in reason]
        return bool(found)

    job.until(failed, f"partition {partition} is left alone")
    assert "`lpa recover offset-loss`" in found[0]
    return found[0]


def test_failure_03_lost_offsets_are_refused_and_set_right(
    new_job: Callable[..., Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    job = new_job(partitions=2)
    for variable, value in job.environment.items():
        monkeypatch.setenv(variable, value)
    job.start()
    job.produce(events(0, 60))
    job.produce(events(1000, 1030), partition=1)
    job.until_committed(60)
    job.until_committed(30, partition=1)
    assert job.stop() == 0

    # Set back by hand: the other partition goes on.
    job.commit(20)
    job.produce(events(60, 70))
    job.produce(events(1030, 1040), partition=1)
    why = refused(job, 0)
    assert "offset 20 is committed, but" in why
    assert "holds records 20 to 59" in why
    job.until_committed(40, partition=1)
    assert job.stop() == 0
    recover(job, why)
    job.start()
    job.until_committed(70)

    # The text beside the offset is lost while a range is written that it names.
    job.clickhouse.tell(Fault("INSERT INTO `livepeer_analytics`.`streaming_events` ", code=210), times=1000)
    job.produce(events(70, 80))
    job.until(lambda: sum(job.stored("stream_trace_events").values()) == 120, "the typed rows are written")
    job.kill()
    job.clickhouse.forget_faults()
    job.until_left()
    job.commit(70)
    why = refused(job, 0)
    assert "offset 70 is committed, but" in why
    assert job.stop() == 0
    recover(job, why)
    job.start()
    job.until_committed(80)
    assert job.stop() == 0

    # The group is deleted: as it is where it expired, or has another name.
    group = job.environment["QUALITY_GROUP_ID"]
    job.admin.delete_consumer_groups([group])[group].result()
    why = refused(job, 0)
    assert "no offset is committed, but" in why
    assert "holds records 0 to 39" in refused_reason(job, 1)
    assert job.stop() == 0
    recover(job, why)
    job.produce(events(80, 81))
    job.start()
    job.until_committed(81)
    assert job.stop() == 0

    exact = Counter([*((0, offset) for offset in range(81)), *((1, offset) for offset in range(40))])
    assert job.stored() == job.stored("stream_trace_events") == exact


def refused_reason(job: Job, partition: int) -> str:
    return "\n".join(reason for reason in job.get("/readyz")[1]["reasons"] if f"{job.topic}[{partition}]" in reason)
