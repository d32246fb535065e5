"""``lpa recover`` after damage that is done for real: the tables are as if nothing had happened."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer
from services.content import content
from services.few_assertions import few
from services.job import Job, event

from lpa_core.cli import run
from lpa_sinks import parity
from lpa_sinks.testing.http_front import Fault

Recover = Callable[..., dict[str, Any]]
NewJob = Callable[..., Job]


def values(first: int, end: int) -> list[bytes]:
    """Of ten, one is no event and one is sent for the second time."""
    return [
        b"no event" if number % 10 == 7 else event(f"id-{number - 1 if number % 10 == 3 else number}")
        for number in range(first, end)
    ]


@pytest.fixture
def job(new_job: NewJob, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Job:
    """A job that commands work for."""
    job = new_job()
    for variable, value in job.environment.items():
        monkeypatch.setenv(variable, value)
    monkeypatch.setenv("LPA_BACKUP_DIR", str(tmp_path / "backups"))
    monkeypatch.setattr(parity, "assertions", few())
    return job


def command(job: Job, capsys: pytest.CaptureFixture[str], *arguments: str, status: int = 0) -> dict[str, Any]:
    capsys.readouterr()
    done = run([*arguments, "--sink", f"clickhouse://127.0.0.1:{job.clickhouse.port}", "--json"])
    said = capsys.readouterr()
    assert done == status, said.err + said.out
    answer: dict[str, Any] = json.loads(said.out) if said.out else {"error": said.err}
    return answer


def ingest(job: Job, records: list[bytes], end: int) -> None:
    job.produce(records)
    job.start()
    job.until_committed(end)
    assert job.stop() == 0


def part(job: Job, table: str) -> Path:
    with job.clickhouse.client() as client:
        query = f"SELECT path FROM system.parts WHERE database = 'livepeer_analytics' AND table = '{table}' AND active"
        return Path(client.query(query).result_rows[0][0])


def truncate(folder: Path) -> None:
    largest = max((path for path in folder.iterdir() if path.is_file()), key=lambda path: path.stat().st_size)
    with largest.open("r+b") as file:
        file.truncate(largest.stat().st_size // 2)


def proved(answer: dict[str, Any]) -> bool:
    return {check["name"] for check in answer["validation"] if check["good"]} >= {
        "no record is stored twice",
        "no key is accepted twice within its TTL",
        "every record is in one table",
        "every view answers",
    }


@contextmanager
def another_member(job: Job) -> Iterator[None]:
    """The group has a member meanwhile, as a worker on another machine would be."""
    consumer = Consumer(
        {
            "bootstrap.servers": job.environment["QUALITY_KAFKA_BOOTSTRAP"],
            "group.id": job.environment["QUALITY_GROUP_ID"],
            "enable.auto.commit": False,
        }
    )
    consumer.subscribe([job.topic])

    def joined() -> bool:
        consumer.poll(0.1)
        return bool(consumer.assignment())

    job.until(joined, "the member has joined")
    yield
    consumer.close()


def refused_beside_another(job: Job, capsys: pytest.CaptureFixture[str], scenario: str) -> bool:
    with another_member(job):
        said: str = command(job, capsys, "recover", scenario, "--execute", status=1)["error"]
    return f"the group {job.environment['QUALITY_GROUP_ID']} has live members" in said


def test_damaged_tables_and_the_loss_of_all(job: Job, capsys: pytest.CaptureFixture[str]) -> None:
    ingest(job, values(0, 300), 300)
    backup = command(job, capsys, "backup", "create")
    nothing = command(job, capsys, "recover", "clickhouse-corruption")
    assert (nothing["damage"], nothing["steps"]) == ([], [])
    ingest(job, values(300, 500), 500)
    before = content(job.clickhouse.client())

    truncated, removed = part(job, "streaming_events"), part(job, "stream_trace_events")
    job.clickhouse.kill()
    truncate(truncated)
    shutil.rmtree(removed)
    job.clickhouse.start()
    plan = command(job, capsys, "recover", "clickhouse-corruption")
    assert [each.partition(":")[0] for each in plan["damage"]] == ["stream_trace_events", "streaming_events"]
    assert plan["lost"] == []
    assert [step["name"] for step in plan["steps"]] == ["stopped", "prove", "isolate", "restore", "cut", "offsets"]
    assert job.committed() == 500, "a plan changes nothing"
    assert refused_beside_another(job, capsys, "clickhouse-corruption")
    assert not any(step["done"] for step in command(job, capsys, "recover", "clickhouse-corruption")["steps"])

    job.clickhouse.tell(Fault("RENAME TABLE `livepeer_analytics__restoring`", code=210))
    broken_off = command(job, capsys, "recover", "clickhouse-corruption", "--execute", status=1)
    assert "NETWORK_ERROR" in broken_off["error"]
    rest = command(job, capsys, "recover", "clickhouse-corruption")
    assert [step["name"] for step in rest["steps"] if step["done"]] == ["isolate"]
    assert rest["damage"] == plan["damage"]
    assert rest["journal"] == str(job.data / "recovery" / "clickhouse-corruption.json")
    done = command(job, capsys, "recover", "clickhouse-corruption", "--execute")
    assert proved(done)
    assert job.committed() == 300
    job.start()
    job.until_committed(500)
    assert job.stop() == 0
    with job.clickhouse.client() as client:
        isolated = client.query("SELECT name FROM system.tables WHERE name LIKE '%__damaged_%'").result_rows
        assert len(isolated) == 2
        for (name,) in isolated:
            client.command(f"DROP TABLE livepeer_analytics.{name} SYNC")
    assert content(job.clickhouse.client()) == before
    assert command(job, capsys, "recover", "clickhouse-corruption")["damage"] == []

    job.clickhouse.kill()
    shutil.rmtree(truncated.parents[3])
    shutil.rmtree(job.data / "dedup")
    job.clickhouse.start()
    plan = command(job, capsys, "recover", "total-loss")
    assert plan["damage"] == ["the database livepeer_analytics has no tables"]
    assert backup["location"] in plan["steps"][0]["what"]
    assert proved(command(job, capsys, "recover", "total-loss", "--execute"))
    assert job.committed() == 300
    job.start()
    job.until_committed(500)
    assert job.stop() == 0
    assert content(job.clickhouse.client()) == before


def test_a_backup_from_before_the_first_record(job: Job, capsys: pytest.CaptureFixture[str]) -> None:
    backup = command(job, capsys, "backup", "create")
    ingest(job, values(0, 300), 300)
    before = content(job.clickhouse.client())
    restored = command(job, capsys, "backup", "restore", backup["location"], "--replace")
    assert f"nothing of {job.topic} was stored when the backup was made" in restored["note"]
    assert "`lpa recover offset-loss --execute`" in restored["note"]
    assert proved(command(job, capsys, "recover", "offset-loss", "--execute"))
    assert job.committed() == 0
    job.start()
    job.until_committed(300)
    assert job.stop() == 0
    assert content(job.clickhouse.client()) == before


def test_offsets_that_are_gone_or_were_moved(job: Job, capsys: pytest.CaptureFixture[str]) -> None:
    ingest(job, values(0, 300), 300)
    before = content(job.clickhouse.client())
    assert command(job, capsys, "recover", "offset-loss")["damage"] == []
    group = job.environment["QUALITY_GROUP_ID"]
    job.admin.delete_consumer_groups([group])[group].result()
    for said in ("no offset is committed, 300 is right", "100 is committed, 300 is right: 200 records would be stored"):
        plan = command(job, capsys, "recover", "offset-loss")
        assert plan["damage"][0].startswith(f"{job.topic}[0]: {said}")
        assert proved(command(job, capsys, "recover", "offset-loss", "--execute"))
        assert job.committed() == 300
        job.commit(100)
    job.produce(values(300, 400))
    job.commit(350)
    plan = command(job, capsys, "recover", "offset-loss", "--execute")
    assert plan["damage"] == [f"{job.topic}[0]: 350 is committed, 300 is right: 50 records would never be read"]
    assert content(job.clickhouse.client()) == before
    job.start()
    job.until_committed(400)
    live = command(job, capsys, "recover", "offset-loss")
    assert live["damage"] == [], "it is right now"
    assert job.stop() == 0
    assert sum(job.stored().values()) == 320


def test_offsets_gone_together_with_a_worker_in_the_middle_of_a_range(
    job: Job, capsys: pytest.CaptureFixture[str]
) -> None:
    ingest(job, values(0, 100), 100)
    job.clickhouse.tell(Fault("INSERT INTO `livepeer_analytics`.`streaming_events` ", code=210), times=1000)
    job.produce(values(100, 200))
    job.start(ready=False)
    job.until(lambda: sum(job.stored("stream_trace_events").values()) == 160, "the typed rows are written")
    job.kill()
    job.clickhouse.forget_faults()
    job.until_left()
    group = job.environment["QUALITY_GROUP_ID"]
    job.admin.delete_consumer_groups([group])[group].result()
    assert refused_beside_another(job, capsys, "offset-loss")
    assert sum(job.stored("stream_trace_events").values()) == 160, "nothing was taken out"
    assert proved(command(job, capsys, "recover", "offset-loss", "--execute"))
    assert job.committed() == 100
    assert sum(job.stored("stream_trace_events").values()) == 80, "what had no end was taken out"
    job.start()
    job.until_committed(200)
    assert job.stop() == 0
    assert sum(job.stored("stream_trace_events").values()) == 160
    assert sum(job.stored().values()) == 160


def test_a_bad_migration_of_a_view(job: Job, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    with job.clickhouse.client() as client:
        client.command(
            "INSERT INTO livepeer_analytics.streaming_events (dedup_key, source_offset) "
            "SELECT toString(number), number "
            "FROM numbers(10)"
        )

        def rows() -> int:
            return len(client.query("SELECT * FROM livepeer_analytics.raw_streaming_events").result_rows)

        folder = tmp_path / "migrations" / "0001-bad"
        folder.mkdir(parents=True)
        (folder / "down.sql").touch()
        (folder / "up.sql").write_text(
            "-- differs: raw_streaming_events: only the newest are asked for, it was thought\n"
            "CREATE OR REPLACE VIEW livepeer_analytics.raw_streaming_events AS\n"
            "SELECT *, event_timestamp, event_date, raw_event_uid, data FROM livepeer_analytics.streaming_events\n"
            "WHERE source_offset > 1000;\n"
        )
        migrations = ("--migrations", str(folder.parent))
        assert command(job, capsys, "recover", "schema-rollback", *migrations)["damage"] == []
        command(job, capsys, "schema", "apply", *migrations)
        assert rows() == 0
        plan = command(job, capsys, "recover", "schema-rollback", *migrations)
        assert plan["damage"] == ["migration 0001-bad is the newest in force; it defined raw_streaming_events"]
        assert rows() == 0
        assert command(job, capsys, "recover", "schema-rollback", *migrations, "--execute")["lost"] == []
        assert rows() == 10
