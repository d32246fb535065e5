"""What the tests of the job on a real cluster share: servers, and a place with topics, tables and the cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from services.kafka import KafkaCluster

from flink.place import FlinkPlace


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker("flink")


@pytest.fixture(scope="session")
def broker() -> Iterator[str]:
    cluster = KafkaCluster()
    yield cluster.bootstrap
    cluster.close()


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
