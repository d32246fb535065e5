"""``lpa doctor`` on brokers with logins, TLS and ACLs: what is wrong is told, and nothing on them changes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from services.job import Job, event
from services.security import Acl, SecuredKafka

from lpa_core.cli import run
from lpa_core.kafka.permissions import PERMISSIONS, Permission
from lpa_core.settings.loading import load

NewJob = Callable[..., Job]
Found = Mapping[str, Mapping[str, Any]]
INGEST = [each for each in PERMISSIONS["lpa ingest"] if not each.optional]
ASKABLE = [each for each in INGEST if each.resource in ("TOPIC", "GROUP")]


@pytest.fixture
def job(new_job: NewJob, secured_kafka: SecuredKafka) -> Iterator[Job]:
    """On the broker's listener for logins, with nothing allowed."""
    made = new_job(bootstrap=secured_kafka.cluster.bootstrap)
    made.environment.update(secured_kafka.login)
    yield made
    secured_kafka.forbid_everything()


@pytest.fixture
def doctor(job: Job, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Found]:
    def found(status: int = 1, **environment: str) -> Found:
        for name, value in {**job.environment, **environment}.items():
            monkeypatch.setenv(name, value)
        monkeypatch.chdir(job.folder)
        capsys.readouterr()
        assert run(["doctor", "--sink", job.sink, "--json"]) == status, capsys.readouterr()
        return {each["name"]: each for each in json.loads(capsys.readouterr().out)["checks"]}

    return found


def acls(job: Job, permissions: Sequence[Permission]) -> list[Acl]:
    settings = load({**job.environment})
    return [
        Acl(each.resource, name, each.operation, each.prefixed) for each in permissions for name in each.names(settings)
    ]


def failed(found: Found) -> list[str]:
    return [name for name, each in found.items() if each["state"] == "failed"]


def text(found: Found, name: str) -> str:
    return f"{found[name]['detail']} | {found[name]['action']}"


def everything(job: Job, secured_kafka: SecuredKafka) -> dict[str, Any]:
    """What is on the brokers and in the job's folder."""
    topics = secured_kafka.admin.list_topics(timeout=10).topics
    groups = secured_kafka.admin.list_consumer_groups().result().valid
    return {
        "topics": {name: len(topic.partitions) for name, topic in topics.items()},
        "groups": sorted(each.group_id for each in groups),
        "files": sorted((str(path), path.stat().st_mtime) for path in job.folder.rglob("*") if path != job.log),
    }


def test_failure_31_a_login_with_the_documented_acls_can_start_and_nothing_is_changed(
    job: Job, secured_kafka: SecuredKafka, doctor: Callable[..., Found]
) -> None:
    secured_kafka.allow(acls(job, INGEST))
    before = everything(job, secured_kafka)
    found = doctor(status=0)
    assert everything(job, secured_kafka) == before
    assert load(job.environment).quality.group_id not in before["groups"]
    assert {each["state"] for name, each in found.items() if name.startswith(("kafka_", "clickhouse_"))} == {"ok"}


def test_failure_31_topics_that_are_missing_are_told_and_not_made(
    job: Job, secured_kafka: SecuredKafka, doctor: Callable[..., Found]
) -> None:
    job.environment["QUALITY_DLQ_TOPIC"] = "dlq-of-nobody"
    secured_kafka.allow(acls(job, INGEST))
    before = everything(job, secured_kafka)
    found = doctor()
    assert failed(found) == ["kafka_topics"]
    assert "has no topic dlq-of-nobody | `lpa topics apply` makes what is missing" in text(found, "kafka_topics")
    assert everything(job, secured_kafka) == before


@pytest.mark.parametrize("lacking", ASKABLE, ids=lambda each: f"{each.operation}-{each.setting}")
def test_failure_31_an_acl_that_is_missing_is_told(
    job: Job, secured_kafka: SecuredKafka, doctor: Callable[..., Found], lacking: Permission
) -> None:
    secured_kafka.allow(acls(job, [each for each in INGEST if each is not lacking]))
    found = doctor()
    assert "kafka_acls" in failed(found)
    assert lacking.names(load(job.environment))[0] in text(found, "kafka_acls")
    assert "docs/operations/permissions.md" in text(found, "kafka_acls")


@pytest.mark.parametrize(
    ("listener", "environment", "check", "said"),
    [
        ("LOGIN", {"LPA_KAFKA_SASL_PASSWORD": "wrong"}, "kafka_login", "the login was refused"),
        ("LOGIN", {"LPA_KAFKA_SASL_MECHANISM": "SCRAM-SHA-512"}, "kafka_address", "set it to PLAIN"),
        ("LOGIN", {"LPA_KAFKA_SECURITY_PROTOCOL": "PLAINTEXT"}, "kafka_address", "asks for a login"),
        ("LOGIN", {"LPA_KAFKA_SECURITY_PROTOCOL": "SSL"}, "kafka_address", "speaks no TLS"),
        ("TLS", {"LPA_KAFKA_SECURITY_PROTOCOL": "SSL"}, "kafka_address", "set ssl.ca.location"),
        ("EXPIRED", {"LPA_KAFKA_SECURITY_PROTOCOL": "SSL", "CA": "yes"}, "kafka_address", "renew it on the broker"),
        ("ELSEWHERE", {"LPA_KAFKA_SECURITY_PROTOCOL": "SSL", "CA": "yes"}, "kafka_address", "name the broker in"),
    ],
)
def test_failure_31_what_is_wrong_with_the_connection_is_told(
    job: Job,
    secured_kafka: SecuredKafka,
    doctor: Callable[..., Found],
    listener: str,
    environment: dict[str, str],
    check: str,
    said: str,
) -> None:
    environment = {"QUALITY_KAFKA_BOOTSTRAP": secured_kafka.addresses[listener], **environment}
    if environment.pop("CA", ""):
        environment["LPA_KAFKA_SSL_CA_LOCATION"] = str(secured_kafka.authority)
    found = doctor(**environment)
    assert failed(found) == [check]
    assert said in text(found, check)
    assert found["kafka_topics"]["state"] == "not tried"
    assert "a-password-for-tests" not in str(found)


def test_failure_31_it_works_while_a_job_runs(
    job: Job, secured_kafka: SecuredKafka, doctor: Callable[..., Found]
) -> None:
    secured_kafka.allow(acls(job, INGEST))
    job.start()
    job.produce([event("a")])
    job.until_committed(1)
    found = doctor(status=0)
    assert "a running job of lpa has it" in text(found, "admin_address")
    job.produce([event("b")])
    job.until_committed(2)
    assert job.stop() == 0


def test_failure_31_a_broker_that_names_an_address_nobody_reaches_is_told(
    job: Job, secured_kafka: SecuredKafka, doctor: Callable[..., Found], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where advertised.listeners names a host of a network of containers."""
    secured_kafka.allow(acls(job, INGEST))
    from lpa_core.start_checks import kafka

    known = kafka.look
    asked: list[tuple[str, int]] = []

    def look(host: str, port: int, connection: Mapping[str, Any]) -> Any:
        asked.append((host, port))
        return known(host, port, connection) if len(asked) == 1 else known("broker.invalid", port, connection)

    monkeypatch.setattr(kafka, "look", look)
    found = doctor()
    assert failed(found) == ["kafka_brokers"]
    assert "set advertised.listeners of the brokers" in text(found, "kafka_brokers")


def test_nothing_is_made_in_the_folder(job: Job, doctor: Callable[..., Found]) -> None:
    doctor()
    assert not Path(job.data).exists()
