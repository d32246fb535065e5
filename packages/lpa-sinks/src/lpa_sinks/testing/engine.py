"""One embedded engine for all tests of a run, since a process can have only one: each test gets a database.

A pytest plugin: the conftest of the repository names it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import final

import pytest
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from lpa_sinks.clickhouse.client import connect, endpoint
from lpa_sinks.clickhouse.names import quoted
from lpa_sinks.schema.apply import apply
from lpa_sinks.schema.migrations import remember_baseline

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


@final
class EmptyDatabases:
    """Databases with the schema and no rows, each used again: to make one takes longer than most tests."""

    def __init__(self, client: Client, path: Path) -> None:
        self._client, self._path = client, path
        self._free: dict[str, dict[str, tuple[int, int]]] = {}
        self._numbers = count()

    @contextmanager
    def one(self) -> Iterator[str]:
        """The name of one, for one user at a time. It may do to it what it likes."""
        name, defined = self._free.popitem() if self._free else self._made(f"empty_{next(self._numbers)}")
        yield name
        if self._as_it_was(name, defined) and self._emptied(name):
            self._free[name] = defined
        else:
            self._client.command(f"DROP DATABASE IF EXISTS {name} SYNC")

    def _made(self, name: str) -> tuple[str, dict[str, tuple[int, int]]]:
        apply(self._client, name, [])
        return name, self._definitions(name)

    def _definitions(self, name: str) -> dict[str, tuple[int, int]]:
        """What tells the files of definitions from changed ones: the engine replaces a file to change it."""
        files = [(file.name, file.stat()) for file in (self._path / "metadata" / name).glob("*")]
        return {file: (status.st_ino, status.st_mtime_ns) for file, status in files}

    def _as_it_was(self, name: str, defined: dict[str, tuple[int, int]]) -> bool:
        """Drop the tables that were added. Whether the others are as they were."""
        now = self._definitions(name)
        if not defined.items() <= now.items():
            return False
        try:
            for file in now.keys() - defined.keys():
                self._client.command(f"DROP TABLE {name}.{quoted(file.removesuffix('.sql'))} SYNC")
        except ClickHouseError:
            return False
        return True

    def _emptied(self, name: str) -> bool:
        """Remove all rows but those of a new database, and the tokens of inserts. Whether that could be done."""
        query = f"SELECT DISTINCT table FROM system.parts WHERE database = '{name}' AND active"
        try:
            for (table,) in self._client.query(query).result_rows:
                self._client.command(f"TRUNCATE TABLE {name}.{table} SYNC")
            remember_baseline(self._client, name)
        except ClickHouseError:
            return False
        return True


@pytest.fixture(scope="session")
def empty_databases(engine: Client, engine_path: Path) -> EmptyDatabases:
    return EmptyDatabases(engine, engine_path)


@pytest.fixture
def empty_database(empty_databases: EmptyDatabases) -> Iterator[str]:
    """The name of a database with the schema and no rows."""
    with empty_databases.one() as name:
        yield name
