"""What a job does about claims, offsets and ranges that it does not find as it left them."""

from __future__ import annotations

import shutil
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.cimpl import NewTopic
from services.advice import follow
from services.job import Job, event
from services.transactions import TransactionalProducer

from lpa_core.cli import run
from lpa_core.delivery.commit_metadata import encode
from lpa_core.delivery.ranges import Range
from lpa_core.tables.row_layout import DLQ_TABLE, QUARANTINE_TABLE

NewJob = Callable[..., Job]


def events(first: int, end: int) -> list[bytes]:
    return [event(f"id-{number}") for number in range(first, end)]


@pytest.mark.parametrize("kept", [None, "copied early"])
def test_claims_that_are_lost_or_behind_are_rebuilt_from_the_sink(new_job: NewJob, kept: str | None) -> None:
    job = new_job()
    job.start()
    job.produce(events(0, 300))
    job.until_committed(300)
    assert job.stop() == 0
    dedup, copy = job.data / "dedup", job.folder / "copy"
    shutil.copytree(dedup, copy)
    job.start()
    job.produce(events(300, 500))
    job.until_committed(500)
    assert job.stop() == 0
    shutil.rmtree(dedup)
    if kept:
        copy.rename(dedup)

    job.produce(events(0, 520))  # all of it once more, and some that are new
    job.start()
    job.until_committed(1020)
    assert job.metric("lpa_dedup_rebuilt_keys_total") == (200 if kept else 500)
    assert job.metric("lpa_dedup_rebuild_progress_ratio", topic=job.topic, partition="0") == 1
    assert job.metric("lpa_dedup_hits_total") == 500
    assert job.stop() == 0
    assert job.stored() == Counter((0, offset) for offset in [*range(500), *range(1000, 1020)])
    assert job.stored(QUARANTINE_TABLE.name) == Counter((0, offset) for offset in range(500, 1000))


def left_to_a_person(job: Job, partition: int = 0) -> str:
    """Start it; answer why it leaves the partition alone."""
    job.start(ready=False)
    found: list[str] = []

    def left() -> bool:
        reasons = (job.get("/readyz")[1] or {}).get("reasons", [])
        found[:] = [reason for reason in reasons if f"{job.topic}[{partition}]" in reason and "stop the" in reason]
        return bool(found)

    job.until(left, f"partition {partition} is left alone")
    return found[0]


def delete_records(job: Job, before: int, partition: int = 0) -> None:
    """As retention does."""
    for future in job.admin.delete_records([TopicPartition(job.topic, partition, before)]).values():
        future.result()


def gap(job: Job) -> None:
    """Of partition 0, the records 10 to 19 are deleted before they are read; 20 to 29 are there."""
    job.start()
    job.produce(events(0, 10))
    job.until_committed(10)
    assert job.stop() == 0
    job.produce(events(10, 30))
    delete_records(job, 20)


def test_a_gap_stops_its_partition_alone(new_job: NewJob) -> None:
    job = new_job(partitions=2)
    gap(job)
    job.produce(events(100, 105), partition=1)
    job.start(ready=False)
    job.until_committed(5, partition=1)
    status, body = job.get("/readyz")
    assert status == 503
    (reason,) = body["reasons"]
    assert f"{job.topic}[0]: offset 10 is committed, but the topic holds 20 to 29" in reason
    assert "QUALITY_OFFSET_GAP_POLICY" in reason
    assert job.get("/healthz")[0] == 200
    assert job.stop() == 0
    assert job.committed() == 10
    assert job.stored() == Counter({**{(0, n): 1 for n in range(10)}, **{(1, n): 1 for n in range(5)}})


@pytest.mark.parametrize(("policy", "read"), [("earliest", [*range(20, 30), 30]), ("latest", [30])])
def test_a_gap_is_passed_over_where_the_policy_says_so(new_job: NewJob, policy: str, read: list[int]) -> None:
    job = new_job()
    gap(job)
    job.start(QUALITY_OFFSET_GAP_POLICY=policy)
    job.produce([event("one more")])
    job.until_committed(31)
    assert job.stop() == 0
    assert "the offset gap policy decides where to go on" in job.log.read_text()
    assert job.stored() == Counter((0, offset) for offset in [*range(10), *read])


def test_a_topic_made_anew_is_noticed(new_job: NewJob) -> None:
    job = new_job()
    job.start()
    job.produce(events(0, 30))
    job.until_committed(30)
    assert job.stop() == 0
    job.admin.delete_topics([job.topic])[job.topic].result()

    def made() -> bool:
        (future,) = job.admin.create_topics([NewTopic(job.topic, 1, 1)]).values()
        return future.exception() is None

    job.until(made, "the topic can be made again")
    job.start(ready=False)
    job.until(lambda: "made again" in str(job.get("/readyz")[1]), "the job says that the topic was made again")
    assert job.stop() == 0


def test_failure_18_a_partition_whose_metadata_is_damaged_holds_no_other_up_and_is_led_out_of(
    new_job: NewJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = new_job(partitions=2)
    for variable, value in job.environment.items():
        monkeypatch.setenv(variable, value)
    job.commit(0, metadata="lpa1:{damaged")
    job.produce(events(0, 5))
    job.produce(events(5, 10), partition=1)
    reason = left_to_a_person(job)
    job.until_committed(5, partition=1)
    assert job.stop() == 0
    follow(reason, "--sink", f"clickhouse://127.0.0.1:{job.clickhouse.port}")
    job.start()
    job.until_committed(5)
    assert job.stop() == 0
    assert sum(job.stored().values()) == 10


def test_failure_18_a_prepared_range_of_which_records_were_deleted_is_led_out_of(
    new_job: NewJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = new_job(partitions=2)
    for variable, value in job.environment.items():
        monkeypatch.setenv(variable, value)
    job.start(CLICKHOUSE_SINK_MAX_TIME_MS="500")
    job.clickhouse.kill()
    job.produce(events(0, 10))
    job.until(lambda: job.committed() == 0, "a range is prepared")
    job.kill()
    job.clickhouse.start()
    delete_records(job, 5)
    job.produce(events(10, 15), partition=1)
    reason = left_to_a_person(job)
    assert f"{job.topic}[0]: offset 0 is committed, but the topic holds 5 to 9" in reason
    job.until_committed(5, partition=1)
    assert job.stop() == 0
    follow(reason, "--sink", f"clickhouse://127.0.0.1:{job.clickhouse.port}")
    job.start()
    job.until_committed(10)
    assert job.stop() == 0
    assert job.stored() == Counter([*((0, offset) for offset in range(5, 10)), *((1, offset) for offset in range(5))])


def test_failure_18_a_prepared_range_that_the_topic_lacks_records_of_is_led_out_of(
    new_job: NewJob, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As compaction leaves it: some offsets of the range have no record any more."""
    job = new_job()
    for variable, value in job.environment.items():
        monkeypatch.setenv(variable, value)
    sink = ("--sink", f"clickhouse://127.0.0.1:{job.clickhouse.port}")
    job.start()
    job.produce(events(0, 10))
    job.until_committed(10)
    assert job.stop() == 0
    producer = TransactionalProducer(job.bootstrap, job.topic)
    left = job.produce(events(10, 13))
    producer.abort(events(13, 16))
    left += job.produce(events(16, 30))
    held = sum(offset < 25 for _, offset in left)
    job.commit(10, metadata=encode(Range(job.topic, 0, 10, 25, 15, "", batch_time=time.time_ns() // 1_000_000), ""))
    reason = left_to_a_person(job)
    assert f"{job.topic}[0] no longer holds the 15 records 10 to 24 that were being written" in reason
    assert job.stop() == 0
    assert run(["recover", "offset-loss", *sink]) == 0
    said = " ".join(capsys.readouterr().out.split())  # lines are as wide as the terminal
    assert f"15 records 10 to 24 were being written, and the topic holds {held}" in said
    follow(reason, *sink)
    job.start()
    job.until_committed(left[-1][1] + 1)
    assert job.stop() == 0
    assert job.stored() == Counter([*((0, offset) for offset in range(10)), *left])
    capsys.readouterr()
    assert run(["recover", "offset-loss", *sink]) == 0
    assert "There is nothing to recover" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("limit", "bad"),
    [({"QUALITY_REJECT_LIMIT_SHARE": "0.5"}, 60), ({"QUALITY_REJECT_LIMIT_CONSECUTIVE": "20"}, 25)],
)
def test_too_many_rejects_stop_the_worker_before_it_commits(new_job: NewJob, limit: dict[str, str], bad: int) -> None:
    job = new_job()
    job.start(**limit)
    job.produce(events(0, 10))
    job.until_committed(10)
    job.produce([*events(10, 50), *[b"not json"] * bad])
    assert job.wait() == 1
    (setting,) = limit
    assert setting in job.log.read_text()
    assert job.committed() < 110
    before = job.committed()
    job.start()
    job.until_committed(50 + bad)
    assert job.stop() == 0
    assert before < 50 + bad
    assert sum(job.stored(DLQ_TABLE.name).values()) == bad
    assert sum(job.stored().values()) == 50


def test_failure_18_a_worker_does_not_go_on_over_a_database_made_anew(
    new_job: NewJob, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """It names what brings the old one back, and that ends with every record stored."""
    job = new_job()
    for name, value in {**job.environment, "LPA_BACKUP_DIR": str(tmp_path / "backups")}.items():
        monkeypatch.setenv(name, value)
    sink = ("--sink", f"clickhouse://127.0.0.1:{job.clickhouse.port}")
    job.start()
    job.produce([event(f"id-{number}") for number in range(20)])
    job.until_committed(20)
    assert job.stop() == 0
    assert run(["backup", "create", *sink]) == 0
    with job.clickhouse.client() as client:
        client.command("DROP DATABASE livepeer_analytics SYNC")
    assert run(["schema", "apply", *sink]) == 0
    reason = left_to_a_person(job)
    assert job.get("/readyz")[0] == 503
    job.stop()
    assert follow(reason, *sink)[:2] == ["recover", "total-loss"]
    job.start()
    job.produce([event("later")])
    job.until_committed(21)
    assert job.stop() == 0
    assert job.stored() == Counter((0, offset) for offset in range(21))
