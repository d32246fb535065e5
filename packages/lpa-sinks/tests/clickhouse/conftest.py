from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from clickhouse_connect.driver.client import Client

from lpa_core.tables.known_gaps import KNOWN_GAPS_TABLE
from lpa_core.testing.sink_suite import OTHER_TABLE, TABLE
from lpa_sinks.clickhouse.client import Endpoint
from lpa_sinks.schema.apply import apply
from lpa_sinks.schema.ddl import WITHDRAWN_TABLE
from lpa_sinks.testing.http_front import USER, Front
from lpa_sinks.testing.places import ClickHousePlace


@pytest.fixture(scope="session")
def contract_database(engine: Client) -> str:
    """Shared by the tests of the contract suite: to make the whole schema for each would take most of their time."""
    apply(engine, "contract", [])
    return "contract"


@pytest.fixture
def embedded(engine: Client, engine_path: Path, contract_database: str) -> Iterator[ClickHousePlace]:
    place = ClickHousePlace(engine, Endpoint(contract_database, path=engine_path))
    yield place
    place.drop_table(TABLE)
    place.drop_table(OTHER_TABLE)
    place.drop_table(KNOWN_GAPS_TABLE)  # the next sink, or schema, makes it again
    engine.command(f"TRUNCATE TABLE {place.name(WITHDRAWN_TABLE)}")


@pytest.fixture(scope="session")
def front(engine: Client, engine_path: Path) -> Iterator[Front]:
    with Front(engine_path).serving() as front:
        yield front


@pytest.fixture
def server(embedded: ClickHousePlace, front: Front) -> ClickHousePlace:
    """A server whose schema was made beforehand."""
    apply(embedded.engine, embedded.endpoint.database, [TABLE, OTHER_TABLE])
    front.faults.clear()
    front.statements.clear()
    front.parameters.clear()
    front.profile.clear()
    url = f"http://127.0.0.1:{front.port}"
    return ClickHousePlace(embedded.engine, Endpoint(embedded.endpoint.database, url=url, user=USER))
