"""Real servers, started once a run and only when a test asks. One that cannot be started fails the run."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from services import compose
from services.clickhouse import ClickHouseServer
from services.job import Job
from services.kafka import KafkaCluster
from services.object_store import Bucket, ObjectStore, minio, moto
from services.security import SecuredKafka

from lpa_core.testing.redis_server import RedisServer


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker("integration")


@pytest.fixture(scope="session")
def provider(request: pytest.FixtureRequest) -> str:
    """``local`` or ``compose``."""
    return str(request.config.getoption("--services")) or ("compose" if compose.answers() else "local")


@pytest.fixture(scope="session")
def kafka(provider: str) -> Iterator[str]:
    """A broker's bootstrap address. Tests keep apart by topic and group."""
    if provider == "compose":
        yield compose.address("kafka", 9092)
        return
    cluster = KafkaCluster()
    yield cluster.bootstrap
    cluster.close()


@pytest.fixture(scope="session")
def secured_kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecuredKafka]:
    """A broker of the tests' own, whatever the provider: one with logins, TLS, ACLs, and little room for metadata."""
    broker = SecuredKafka(tmp_path_factory.mktemp("secured"))
    yield broker
    broker.close()


@pytest.fixture(scope="session")
def redis_url(provider: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if provider == "compose":
        yield f"redis://{compose.address('redis', 6379)}/0"
        return
    with RedisServer(tmp_path_factory.mktemp("redis"), "--appendonly", "yes") as server:
        yield server.url


@pytest.fixture(scope="session")
def object_store(provider: str) -> Iterator[ObjectStore]:
    if provider == "compose":
        yield minio()
        return
    with moto() as store:
        yield store


@pytest.fixture
def bucket(object_store: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> Bucket:
    """A bucket of the test's own, which this process and those it starts can reach."""
    bucket = object_store.new_bucket()
    for name, value in bucket.environment.items():
        monkeypatch.setenv(name, value)
    return bucket


@pytest.fixture
def clickhouse() -> Iterator[ClickHouseServer]:
    """A database of the test's own, whose inserts can be made to fail."""
    server = ClickHouseServer()
    yield server
    server.close()


@pytest.fixture
def new_job(
    request: pytest.FixtureRequest, clickhouse: ClickHouseServer, tmp_path: Path
) -> Iterator[Callable[..., Job]]:
    """Makes jobs on topics of their own and one database; they are ended with the test."""
    jobs: list[Job] = []

    def make(partitions: int = 1, dedup: str = "", bootstrap: str = "") -> Job:
        folder = tmp_path / f"job-{len(jobs)}"
        folder.mkdir()
        jobs.append(Job(bootstrap or request.getfixturevalue("kafka"), clickhouse, folder, partitions, dedup))
        return jobs[-1]

    yield make
    for job in jobs:
        job.kill()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """Debian's browser without a window."""
    from playwright.sync_api import sync_playwright

    program = shutil.which("chromium")
    assert program, "./dev integration installs it"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()
