"""``lpa backup`` of a ClickHouse that is being written to: restored and resumed, nothing is lost or doubled."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from services.clickhouse import ClickHouseServer
from services.content import content
from services.job import Job, event

from lpa_core.cli import run
from lpa_core.delivery.commit_metadata import DamagedMetadataError, decode
from lpa_core.delivery.consumer_group import Commit, Partition
from lpa_core.kafka.committed_offsets import commit as commit_offsets
from lpa_core.kafka.committed_offsets import committed, committed_in_the_end
from lpa_core.settings.loading import load
from lpa_core.tables.row_layout import DLQ_TABLE, QUARANTINE_TABLE
from lpa_ops.positions.committed import of_derivation
from lpa_sinks.testing.http_front import Fault

NewJob = Callable[..., Job]


@pytest.fixture
def twin(kafka: str, tmp_path: Path) -> Iterator[Job]:
    """A job that nothing happens to; it has a group and a database of its own."""
    server = ClickHouseServer()
    folder = tmp_path / "twin"
    folder.mkdir()
    job = Job(kafka, server, folder)
    yield job
    job.kill()
    server.close()


def values(first: int, end: int) -> list[bytes]:
    """Of ten, one is no event and one is sent for the second time."""
    return [
        b"no event" if number % 10 == 7 else event(f"id-{number - 1 if number % 10 == 3 else number}")
        for number in range(first, end)
    ]


def use(job: Job, monkeypatch: pytest.MonkeyPatch) -> str:
    """Have commands work for the job; answer its database."""
    for variable, value in job.environment.items():
        monkeypatch.setenv(variable, value)
    return f"clickhouse://127.0.0.1:{job.clickhouse.port}"


def ingest_all(job: Job, topic: str, ends: dict[int, int]) -> None:
    job.environment["QUALITY_INPUT_TOPIC"] = job.topic = topic
    job.start()
    for partition, end in ends.items():
        job.until_committed(end, partition)
    assert job.stop() == 0


def test_a_backup_made_while_rows_are_written_is_restored_and_resumed(
    new_job: NewJob, twin: Job, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    job = new_job(partitions=2)
    sink = use(job, monkeypatch)
    monkeypatch.setenv("LPA_BACKUP_DIR", str(tmp_path / "backups"))
    ends = {0: 0, 1: 0}
    stop = threading.Event()

    def produce() -> None:
        while not stop.is_set():
            for partition, end in ends.items():
                job.produce(values(end, end + 50), partition)
                ends[partition] = end + 50

    producing = threading.Thread(target=produce)
    job.start(CLICKHOUSE_SINK_MAX_TIME_MS="50")
    producing.start()
    try:
        job.until_committed(500)
        backups = []
        for arguments in ([], ["--incremental"]):
            before = job.committed()
            assert run(["backup", "create", "--sink", sink, "--json", *arguments]) == 0
            backups.append(json.loads(capsys.readouterr().out))
            job.until(lambda before=before: job.committed() > before, "it is written on")  # type: ignore[misc]
        job.kill()  # whatever is prepared by now is unfinished
    finally:
        stop.set()
        producing.join()
    job.until_left()
    full, incremental = backups
    assert incremental["base"] == full["id"]
    for backup in backups:
        assert run(["backup", "verify", backup["location"], "--sink", sink]) == 0
    boundaries = {each["partition"]: each["offset"] for each in incremental["boundaries"]}
    assert 0 < boundaries[0] < ends[0], "there is something to read again"
    restore = ["backup", "restore", incremental["location"], "--sink", sink]
    assert run(restore) == 1
    assert "is not empty" in capsys.readouterr().err
    job.clickhouse.tell(Fault("RESTORE DATABASE", code=210))
    assert run([*restore, "--replace"]) == 1
    assert sum(job.stored().values()) > 0, "nothing has changed yet"
    job.clickhouse.tell(Fault("RENAME TABLE", code=210))
    assert run([*restore, "--replace"]) == 1
    barred = committed_in_the_end(job.admin, load())
    for partition, commit in barred.items():
        with pytest.raises(DamagedMetadataError, match=f"the restore of {incremental['id']} is not finished"):
            decode(partition, commit.metadata)
    capsys.readouterr()
    assert run([*restore, "--replace", "--json"]) == 0
    restored = json.loads(capsys.readouterr().out)
    assert {each["partition"]: each["offset"] for each in restored["offsets"]} == boundaries
    everything = sum((job.stored(table) for table in (DLQ_TABLE.name, QUARANTINE_TABLE.name)), job.stored())
    assert everything == Counter((p, n) for p, end in boundaries.items() for n in range(end))
    ingest_all(job, job.topic, ends)
    ingest_all(twin, job.topic, ends)
    assert content(job.clickhouse.client()) == content(twin.clickhouse.client())
    assert sum(job.stored(QUARANTINE_TABLE.name).values()) == sum(ends.values()) / 10


def test_derivation_goes_on_from_where_it_stood(
    new_job: NewJob, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    job = new_job()
    job.environment["LPA_MATERIALIZE_GROUP_ID"] = f"deriving-{job.topic}"
    sink = use(job, monkeypatch)
    monkeypatch.setenv("LPA_BACKUP_DIR", str(tmp_path / "backups"))
    job.start()
    job.produce(values(0, 20))
    job.until_committed(20)
    assert job.stop() == 0
    deriving = of_derivation(load())
    touched = Partition(deriving.quality.topics[0], 0)
    commit_offsets(job.admin, deriving, {touched: Commit(3)})
    assert run(["backup", "create", "--sink", sink, "--json"]) == 0
    location = json.loads(capsys.readouterr().out)["location"]
    commit_offsets(job.admin, deriving, {touched: Commit(7)})
    assert run(["backup", "restore", location, "--sink", sink, "--replace"]) == 0
    assert committed(job.admin, deriving) == {touched: Commit(3)}


def test_nothing_is_restored_for_another_group_or_a_live_one(
    new_job: NewJob, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    job = new_job()
    sink = use(job, monkeypatch)
    monkeypatch.setenv("LPA_BACKUP_DIR", str(tmp_path / "backups"))
    job.start()
    job.produce(values(0, 20))
    job.until_committed(20)
    assert run(["backup", "create", "--sink", sink, "--json"]) == 0
    location = json.loads(capsys.readouterr().out)["location"]
    restore = ["backup", "restore", location, "--sink", sink, "--replace"]
    assert run(restore) == 1
    assert "live members" in capsys.readouterr().err
    assert job.stop() == 0
    monkeypatch.setenv("QUALITY_GROUP_ID", "another")
    assert run(restore) == 1
    assert f"is of the group {job.environment['QUALITY_GROUP_ID']}, not another" in capsys.readouterr().err
    use(job, monkeypatch)
    monkeypatch.setenv("QUALITY_INPUT_TOPIC", "another")
    assert run(restore) == 1
    assert f"is of the topic {job.topic}, not another" in capsys.readouterr().err
    assert sum(job.stored().values()) == 16, "the tables are as they were"
