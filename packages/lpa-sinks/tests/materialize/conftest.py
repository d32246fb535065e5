from __future__ import annotations

from collections.abc import Iterator

import pytest
from clickhouse_connect.driver.client import Client

from lpa_sinks.schema import apply
from lpa_sinks.testing.hand_made import HandMade


@pytest.fixture(scope="module")
def made(engine: Client, request: pytest.FixtureRequest) -> Iterator[HandMade]:
    """A database with the schema for all tests of a module."""
    name = request.module.__name__.rpartition(".")[2]
    apply(engine, name, [])
    yield HandMade(engine, name)
    engine.command(f"DROP DATABASE {name} SYNC")


@pytest.fixture
def hand(made: HandMade) -> Iterator[HandMade]:
    """Rows made by hand, gone after the test."""
    yield made
    made.clear()
