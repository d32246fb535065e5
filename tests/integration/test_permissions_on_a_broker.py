"""Each command with exactly the ACLs that are documented, and without each of them."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from random import Random

import pytest
from services.job import Job, event
from services.materializer import Materializer
from services.processes import PATIENCE
from services.security import METADATA_BYTES, Acl, SecuredKafka

from lpa_core.cli import run
from lpa_core.kafka.permissions import PERMISSIONS, Permission
from lpa_core.settings.loading import load

NewJob = Callable[..., Job]
INGEST = [each for each in PERMISSIONS["lpa ingest"] if not each.optional]


@pytest.fixture
def job(new_job: NewJob, secured_kafka: SecuredKafka) -> Iterator[Job]:
    """On the broker's listener for logins, with nothing allowed."""
    made = new_job(bootstrap=secured_kafka.cluster.bootstrap)
    made.environment.update(secured_kafka.login)
    yield made
    secured_kafka.forbid_everything()


def acls(job: Job, permissions: Sequence[Permission]) -> list[Acl]:
    settings = load({**job.environment})
    return [
        Acl(each.resource, name, each.operation, each.prefixed) for each in permissions for name in each.names(settings)
    ]


def command(job: Job, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    for name, value in job.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(job.folder)
    return run([*arguments])


def said(job: Job) -> str:
    return job.log.read_text().splitlines()[-1]


def reasons(job: Job) -> str:
    return str(job.get("/readyz")[1])


def test_failure_15_ingest_runs_with_the_documented_acls_and_no_others(job: Job, secured_kafka: SecuredKafka) -> None:
    secured_kafka.allow(acls(job, INGEST))
    job.start()
    job.produce([event("a"), event("a"), b"bad"])
    job.until_committed(3)
    assert job.stop() == 0
    assert job.stored() == Counter({(0, 0): 1})
    assert [len(job.records(topic)) for topic in (job.dlq, job.quarantine)] == [1, 1]


@pytest.mark.parametrize("lacking", INGEST, ids=lambda each: f"{each.operation}-{each.setting}-{each.resource}")
def test_failure_15_an_acl_that_is_missing_at_the_start_is_named(
    job: Job, secured_kafka: SecuredKafka, lacking: Permission
) -> None:
    secured_kafka.allow(acls(job, [each for each in INGEST if each is not lacking]))
    job.start(ready=False)
    assert job.wait() == 2
    line = said(job)
    assert lacking.operation in line
    assert lacking.names(load(job.environment))[0] in line or lacking.resource == "TRANSACTIONAL_ID"
    assert "docs/operations/permissions.md" in line


@pytest.mark.parametrize("taken", [INGEST[0], INGEST[1], INGEST[4], INGEST[5]], ids=lambda each: each.resource)
def test_failure_15_an_acl_that_is_taken_away_is_waited_for(
    job: Job, secured_kafka: SecuredKafka, taken: Permission
) -> None:
    secured_kafka.allow(acls(job, INGEST))
    job.start()
    job.produce([event("before")])
    job.until_committed(1)
    secured_kafka.forbid(acls(job, [taken]))
    job.produce([event("while"), b"bad"])
    job.until(lambda: "this login lacks" in reasons(job), "it is not ready, and says why")
    time.sleep(3)
    assert job.running
    secured_kafka.allow(acls(job, [taken]))
    job.until(lambda: job.get("/readyz")[0] == 200, "it is ready again")
    job.until_committed(3)
    assert job.stop() == 0
    assert job.stored() == Counter({(0, 0): 1, (0, 1): 1})


def test_failure_15_an_acl_that_does_not_come_back_ends_the_process(job: Job, secured_kafka: SecuredKafka) -> None:
    secured_kafka.allow(acls(job, INGEST))
    job.start(LPA_PROGRESS_SECONDS="5")
    secured_kafka.forbid(acls(job, [INGEST[4]]))
    job.produce([event("one")])
    assert job.wait(PATIENCE) == 2
    assert "this login lacks" in said(job)


def test_failure_12_little_room_for_metadata_is_told_at_the_first_commit_that_is_refused(
    job: Job, secured_kafka: SecuredKafka
) -> None:
    """This login may not ask for the brokers' settings."""
    secured_kafka.allow(acls(job, INGEST))
    chance = Random(1)
    job.produce([event(f"id-{number if chance.random() < 0.5 else 0}") for number in range(20 * METADATA_BYTES)])
    job.start(ready=False, CLICKHOUSE_SINK_MAX_TIME_MS="2000")
    assert job.wait(PATIENCE) == 2
    assert "offset.metadata.max.bytes of the brokers is too small" in said(job)


def test_failure_15_materialize_runs_with_the_documented_acls(job: Job, secured_kafka: SecuredKafka) -> None:
    worker = Materializer(job, 0)
    try:
        worker.start()
        assert worker.process is not None
        assert worker.process.wait(PATIENCE) == 2
        assert "this login lacks READ on the topic" in worker.log.read_text()
        secured_kafka.allow(acls(job, PERMISSIONS["lpa materialize"]))
        worker.start()
        look = Job.looking_at(worker.port)
        job.until(lambda: look("/readyz")[0] == 200, "it is ready")
        assert worker.stop() == 0
    finally:
        worker.kill()


def test_failure_15_topics_are_made_and_shown_with_the_documented_acls(
    job: Job, secured_kafka: SecuredKafka, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    job.environment.update({name: f"new-{value}" for name, value in job.environment.items() if name.endswith("_TOPIC")})
    secured_kafka.allow(acls(job, [each for each in PERMISSIONS["lpa topics apply"] if not each.optional]))
    assert command(job, monkeypatch, "topics", "apply") == 0
    assert "this login lacks the ACL DESCRIBE_CONFIGS" in capsys.readouterr().out
    secured_kafka.forbid_everything()
    secured_kafka.allow(acls(job, PERMISSIONS["lpa topics show"]))
    assert command(job, monkeypatch, "topics", "show") == 0
    assert "lacks" not in capsys.readouterr().out
    secured_kafka.forbid_everything()
    assert command(job, monkeypatch, "topics", "show") == 2
    assert "this login lacks an ACL on the topic" in capsys.readouterr().err


def test_failure_15_recoveries_and_savepoints_run_with_the_documented_acls(
    job: Job, secured_kafka: SecuredKafka, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    secured_kafka.allow(acls(job, INGEST))
    job.start()
    job.produce([event("a"), b"bad"])
    job.until_committed(2)
    assert job.stop() == 0
    sink = f"clickhouse://127.0.0.1:{job.clickhouse.port}"
    for name, arguments in {
        "lpa savepoint": ("savepoint", "create"),
        "lpa recover offset-loss": ("recover", "offset-loss", "--sink", sink),
    }.items():
        secured_kafka.forbid_everything()
        assert command(job, monkeypatch, *arguments) == 2, name
        assert "this login lacks" in capsys.readouterr().err
        secured_kafka.allow(acls(job, PERMISSIONS[name]))
        assert command(job, monkeypatch, *arguments) == 0, capsys.readouterr()
        capsys.readouterr()
