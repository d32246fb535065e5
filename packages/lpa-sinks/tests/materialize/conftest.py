from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client

from lpa_sinks.schema import apply
from lpa_sinks.schema.ddl import declared

Insert = Callable[..., None]
Query = Callable[[str], list[tuple[Any, ...]]]


@pytest.fixture(scope="module")
def made(engine: Client, request: pytest.FixtureRequest) -> Iterator[str]:
    """A database with the schema for all tests of a module."""
    name = request.module.__name__.rpartition(".")[2]
    apply(engine, name, [])
    yield name
    engine.command(f"DROP DATABASE {name} SYNC")


@pytest.fixture
def insert(engine: Client, made: str) -> Iterator[Insert]:
    """Inserts one row, given as SQL expressions by column; the other columns have their defaults."""
    yield lambda table, **values: engine.command(
        f"INSERT INTO {made}.{table} ({', '.join(values)}) SELECT {', '.join(map(str, values.values()))}"
    )
    for name in {each.name for each in declared([]).values() if each.engine != "View"}:
        engine.command(f"TRUNCATE TABLE {made}.{name}")


@pytest.fixture
def query(engine: Client, made: str) -> Query:
    """The rows of a query; ``$`` stands for the database."""
    return lambda sql: [tuple(row) for row in engine.query(sql.replace("$", made)).result_rows]
