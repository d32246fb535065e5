"""Settings of every test, in the packages and across them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

# The contract suites are no test modules, yet their asserts should show values. Before any test imports one.
pytest.register_assert_rewrite("lpa_core.testing", "lpa_sinks.testing")

# How loaded the machine is says nothing about the code: no deadline. Said here, because Hypothesis takes a profile
# of its own where CI is set, which tries the same examples for ever.
settings.register_profile("lpa", deadline=None, print_blob=True)
settings.load_profile("lpa")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--services",
        choices=("local", "compose"),
        default="",
        help="where integration tests find servers: child processes, or a running docker compose",
    )


# One embedded engine for all tests of a run, since a process can have only one: each test gets a database.

_numbers = count()


@pytest.fixture(scope="session")
def engine_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("chdb") / "a folder" / "with späces"


@pytest.fixture(scope="session")
def engine(engine_path: Path) -> Iterator[Client]:
    """A client that looks at what the code under test did; it keeps the engine running between tests."""
    from lpa_sinks.clickhouse.client import connect, endpoint

    client = connect(endpoint(f"chdb://{engine_path}", database="", user=""))
    yield client
    client.close()


@pytest.fixture
def database(engine: Client) -> Iterator[str]:
    """The name of a database that does not exist yet, and does no more after the test."""
    name = f"test_{next(_numbers)}"
    yield name
    engine.command(f"DROP DATABASE IF EXISTS {name} SYNC")
