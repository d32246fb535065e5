"""What the tests of the job on a real cluster share: servers, and a place with topics, tables and the cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from services.kafka import KafkaCluster

from flink.place import KAFKA_PASSWORD, USER, FlinkPlace


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker("flink")


@pytest.fixture(scope="session")
def kafka() -> Iterator[KafkaCluster]:
    """A broker; its listener ``LOGIN`` asks for ``USER`` and ``KAFKA_PASSWORD``."""
    module = "org.apache.kafka.common.security.plain.PlainLoginModule"
    login = {
        "sasl.enabled.mechanisms": "PLAIN",
        "listener.name.login.plain.sasl.jaas.config": f'{module} required user_{USER}="{KAFKA_PASSWORD}";',
    }
    cluster = KafkaCluster(protocols={"LOGIN": "SASL_PLAINTEXT"}, properties=login)
    yield cluster
    cluster.close()


@pytest.fixture(scope="session")
def broker(kafka: KafkaCluster) -> str:
    return kafka.bootstrap


@pytest.fixture
def new_place(broker: str, tmp_path: Path) -> Iterator[Callable[..., FlinkPlace]]:
    """Makes places with topics, a database and a cluster of their own; all ends with the test."""
    places: list[FlinkPlace] = []

    def make(partitions: int = 2, slots: int = 2, checkpoint_ms: int = 1000, **settings: str) -> FlinkPlace:
        folder = tmp_path / f"place-{len(places)}"
        folder.mkdir()
        places.append(FlinkPlace(broker, folder, partitions, slots, checkpoint_ms, **settings))
        return places[-1]

    yield make
    for place in places:
        place.close()
