"""Every recovery on a topic with transactions, aborted records and two partitions, by the commands of its page."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from services.advice import follow
from services.content import content
from services.health import health
from services.job import Job, event
from services.transactions import TransactionalProducer

from lpa_core.cli import run

pytestmark = pytest.mark.each_share

NewJob = Callable[..., Job]
PARTITIONS = (0, 1)
_RECORDS = 70
"""Of each partition, after :func:`fill` was called once."""


@pytest.fixture
def job(new_job: NewJob, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Job:
    """A job that commands work for."""
    job = new_job(partitions=len(PARTITIONS))
    for variable, value in job.environment.items():
        monkeypatch.setenv(variable, value)
    monkeypatch.setenv("LPA_BACKUP_DIR", str(tmp_path / "backups"))
    return job


def fill(job: Job, name: str) -> None:
    """Committed, aborted and plain records, rejects and duplicates among them; an end of a transaction comes last."""
    producer = TransactionalProducer(job.bootstrap, job.topic)
    for partition in PARTITIONS:
        some = [event(f"{name}-{partition}-{number}") for number in range(_RECORDS)]
        producer.commit(some[:20], partition)
        producer.abort(some[:10], partition)
        job.produce([*some[20:50], b"no event", some[0]], partition)
        producer.abort(some[50:55], partition)
        producer.commit([*some[52:], b"no event"], partition)


def ends(job: Job) -> dict[int, int]:
    """Behind the last record of each partition, whatever can be read of it."""
    from confluent_kafka import Consumer, TopicPartition

    consumer = Consumer({"bootstrap.servers": job.bootstrap, "group.id": "ends", "log_level": 0})
    try:
        return {each: consumer.get_watermark_offsets(TopicPartition(job.topic, each), 10)[1] for each in PARTITIONS}
    finally:
        consumer.close()


def ingest(job: Job) -> None:
    """Read all there is: everything but the last transaction's end is at least committed."""
    job.start()
    for partition, end in ends(job).items():
        job.until_committed(end - 1, partition)
    assert job.stop() == 0


def command(job: Job, capsys: pytest.CaptureFixture[str], *arguments: str, status: int = 0) -> dict[str, Any]:
    capsys.readouterr()
    done = run([*arguments, "--sink", f"clickhouse://127.0.0.1:{job.clickhouse.port}", "--json"])
    said = capsys.readouterr()
    assert done == status, said.err + said.out
    answer: dict[str, Any] = json.loads(said.out) if said.out else {"error": said.err}
    return answer


def page(title: str) -> list[str]:
    """The commands that the page of recoveries has for a scenario."""
    text = (Path(__file__).parents[2] / "docs" / "operations" / "recovery.md").read_text()
    section = text.partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    block = re.search(r"^```sh(?: broker)?\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
    assert block is not None
    return block[1].splitlines()


def truncated(job: Job) -> None:
    """The largest file of the raw table loses its second half."""
    with job.clickhouse.client() as client:
        where = "database = 'livepeer_analytics' AND table = 'streaming_events' AND active"
        ((folder,),) = client.query(f"SELECT path FROM system.parts WHERE {where} LIMIT 1").result_rows
    job.clickhouse.kill()
    largest = max((each for each in Path(folder).iterdir() if each.is_file()), key=lambda each: each.stat().st_size)
    with largest.open("r+b") as file:
        file.truncate(largest.stat().st_size // 2)
    job.clickhouse.start()


def dropped(job: Job) -> None:
    with job.clickhouse.client() as client:
        client.command("DROP DATABASE livepeer_analytics SYNC")


def deleted(job: Job) -> None:
    group = job.environment["QUALITY_GROUP_ID"]
    job.admin.delete_consumer_groups([group])[group].result()


def read_twice(job: Job) -> None:
    """Partition 0 from its beginning, as far as a stop in the middle lets it; partition 1 whole."""
    for partition in PARTITIONS:
        job.commit(0, partition)
    job.start(QUALITY_OFFSET_GAP_POLICY="earliest", CLICKHOUSE_SINK_MAX_BATCH_SIZE="40")
    job.until_committed(40)
    job.until_committed(ends(job)[1] - 1, 1)
    job.kill()
    job.until_left()


def migrated(job: Job) -> None:
    folder = job.folder / "migrations" / "0001-view"
    folder.mkdir(parents=True)
    (folder / "down.sql").touch()
    (folder / "up.sql").write_text(
        "-- differs: raw_streaming_events: only some are shown\n"
        "CREATE OR REPLACE VIEW livepeer_analytics.raw_streaming_events AS\n"
        "SELECT *, event_timestamp, event_date, raw_event_uid, data FROM livepeer_analytics.streaming_events\n"
        "WHERE source_offset > 1000;\n"
    )
    sink = f"clickhouse://127.0.0.1:{job.clickhouse.port}"
    assert run(["schema", "apply", "--migrations", str(folder.parent), "--sink", sink]) == 0


def derived(job: Job, capsys: pytest.CaptureFixture[str]) -> dict[str, tuple[Any, ...]]:
    """What all tables hold, once facts are made of it."""
    command(job, capsys, "materialize", "rebuild", "--start", "2000-01-01", "--end", "2100-01-01")
    return content(job.clickhouse.client())


def is_well(job: Job) -> dict[str, str]:
    """The checks that are not ok. There are more rejects than usual, on purpose."""
    found = health(job, HEALTH_DLQ_SHARE="0.5,0.9", HEALTH_TIMES_USUAL="1000")
    return {name: each["detail"] for name, each in found.items() if each["state"] in ("warning", "critical")}


def recovered(job: Job, capsys: pytest.CaptureFixture[str], scenario: str) -> dict[str, Any]:
    """Carry a recovery out; its validations are green, and a second run finds nothing to do."""
    done = command(job, capsys, "recover", scenario, "--execute")
    assert done["damage"], "there was something to recover"
    assert [check for check in done["validation"] if check["good"] is False] == []
    return done


def nothing_is_left(job: Job, capsys: pytest.CaptureFixture[str], scenario: str) -> None:
    again = command(job, capsys, "recover", scenario, "--execute")
    assert (again["damage"], again["steps"]) == ([], [])


@pytest.mark.parametrize(
    ("scenario", "damage"),
    [
        ("clickhouse-corruption", truncated),
        ("total-loss", dropped),
        ("offset-loss", deleted),
        ("doubled-rows", read_twice),
        ("schema-rollback", migrated),
    ],
)
def test_failure_11_every_recovery_by_its_page(
    job: Job, capsys: pytest.CaptureFixture[str], scenario: str, damage: Callable[[Job], None]
) -> None:
    fill(job, "one")
    ingest(job)
    command(job, capsys, "backup", "create")
    fill(job, "two")
    ingest(job)
    before = derived(job, capsys)
    damage(job)
    plan, carried_out = page(scenario)  # beside stopping and starting the workers
    for line in (plan, carried_out):
        arguments = line.replace(" --sink clickhouse://", "").split()[1:]
        done = command(job, capsys, *arguments)
        assert done["damage"], line
    assert [check for check in done["validation"] if check["good"] is False] == []
    ingest(job)
    with job.clickhouse.client() as client:
        for (name,) in client.query("SELECT name FROM system.tables WHERE name LIKE '%__damaged_%'").result_rows:
            client.command(f"DROP TABLE livepeer_analytics.{name} SYNC")
    assert derived(job, capsys) == before
    nothing_is_left(job, capsys, scenario)
    assert is_well(job) == {}


def test_failure_18_damage_without_a_backup_is_read_again(job: Job, capsys: pytest.CaptureFixture[str]) -> None:
    """Health names the recovery, which needs no backup where the topic still holds all."""
    fill(job, "one")
    ingest(job)
    before = derived(job, capsys)
    truncated(job)
    found = health(job)["damaged_parts"]
    assert found["state"] == "critical"
    plan = command(job, capsys, "recover", "clickhouse-corruption")
    assert [each.partition(":")[0] for each in plan["damage"]] == ["streaming_events"]
    (lost,) = plan["lost"]
    assert "has no backup of it: of its rows, only those come back that are read again" in lost
    assert follow(found["action"])[:2] == ["recover", "clickhouse-corruption"]
    ingest(job)
    with job.clickhouse.client() as client:
        for (name,) in client.query("SELECT name FROM system.tables WHERE name LIKE '%__damaged_%'").result_rows:
            client.command(f"DROP TABLE livepeer_analytics.{name} SYNC")
    assert derived(job, capsys) == before
    nothing_is_left(job, capsys, "clickhouse-corruption")
    assert list(is_well(job)) == ["backup_age"]


def test_failure_10_ends_of_transactions_and_aborted_records_are_no_missing_records(
    job: Job, capsys: pytest.CaptureFixture[str]
) -> None:
    fill(job, "one")
    ingest(job)
    command(job, capsys, "backup", "create")
    before = content(job.clickhouse.client())
    assert command(job, capsys, "recover", "offset-loss")["damage"] == [], "all of it was read"
    assert is_well(job) == {}

    # Offsets that are apart from what is right by ends of transactions alone.
    for partition, end in ends(job).items():
        job.commit(end, partition)
    assert command(job, capsys, "recover", "offset-loss")["damage"] == []

    deleted(job)
    done = recovered(job, capsys, "offset-loss")
    assert all("no offset is committed" in each for each in done["damage"])
    assert content(job.clickhouse.client()) == before, "no row was cut"
    nothing_is_left(job, capsys, "offset-loss")
    assert is_well(job) == {}

    job.commit(5)
    plan = command(job, capsys, "recover", "offset-loss")
    assert re.search(r"5 is committed, \d+ is right: \d+ records would be stored twice", plan["damage"][0])
    recovered(job, capsys, "offset-loss")
    ingest(job)
    assert content(job.clickhouse.client()) == before

    # A record that is really missing is found among all these gaps.
    with job.clickhouse.client() as client:
        client.command(
            "DELETE FROM livepeer_analytics.streaming_events WHERE source_partition = 1 AND source_offset = 3"
        )
    lost = health(job)["conservation"]
    assert (lost["state"], lost["value"]) == ("critical", 1)
    assert "[1]: 1 of the offsets 3 to 3 are in no table" in lost["detail"]
