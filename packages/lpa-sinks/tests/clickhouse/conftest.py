from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from clickhouse_connect.driver.client import Client

from lpa_core.testing.sink_suite import OTHER_TABLE, TABLE
from lpa_sinks.clickhouse.client import Endpoint
from lpa_sinks.schema.apply import apply
from lpa_sinks.testing.http_front import USER, Front
from lpa_sinks.testing.places import ClickHousePlace


@pytest.fixture
def embedded(engine: Client, engine_path: Path, database: str) -> ClickHousePlace:
    return ClickHousePlace(engine, Endpoint(database, path=engine_path))


@pytest.fixture(scope="session")
def front(engine: Client, engine_path: Path) -> Iterator[Front]:
    with Front(engine_path).serving() as front:
        yield front


@pytest.fixture
def server(engine: Client, front: Front, database: str) -> ClickHousePlace:
    """A server whose schema was made beforehand."""
    apply(engine, database, [TABLE, OTHER_TABLE])
    front.faults.clear()
    front.statements.clear()
    return ClickHousePlace(engine, Endpoint(database, url=f"http://127.0.0.1:{front.port}", user=USER))
