from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import pytest
from clickhouse_connect.driver.client import Client

from lpa_sinks.schema import apply
from lpa_sinks.testing.hand_made_rows import HandMade
from lpa_sinks.testing.stored_events import NewStore, StoredEvents


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


@pytest.fixture(scope="module")
def stores(engine: Client) -> Iterator[list[StoredEvents]]:
    """Databases that are used again: making one takes longer than a test."""
    made: list[StoredEvents] = []
    yield made
    for store in made:
        engine.command(f"DROP DATABASE {store.name} SYNC")


@pytest.fixture
def new_store(engine: Client, stores: list[StoredEvents], request: pytest.FixtureRequest) -> NewStore:
    """Answers empty databases; at most two can be used at a time."""
    turn = count()

    def make() -> StoredEvents:
        number = next(turn) % 2
        if number == len(stores):
            stores.append(StoredEvents(engine, f"{request.module.__name__.rpartition('.')[2]}_{number}"))
        stores[number].clear()
        return stores[number]

    return make
