"""One embedded engine for all tests of a run, since a process can have only one: each test gets a database.

A pytest plugin: the conftest of the repository names it.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from clickhouse_connect.driver.client import Client

from lpa_sinks.clickhouse.client import connect, endpoint

_numbers = count()


@pytest.fixture(scope="session")
def engine_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("chdb") / "a folder" / "with späces"


@pytest.fixture(scope="session")
def engine(engine_path: Path) -> Iterator[Client]:
    """A client that looks at what the code under test did; it keeps the engine running between tests."""
    client = connect(endpoint(f"chdb://{engine_path}", database="", user=""))
    yield client
    client.close()


@pytest.fixture
def database(engine: Client) -> Iterator[str]:
    """The name of a database that does not exist yet, and does no more after the test."""
    name = f"test_{next(_numbers)}"
    yield name
    engine.command(f"DROP DATABASE IF EXISTS {name} SYNC")
