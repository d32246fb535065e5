"""Rows written down by hand, and the read API over them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client
from starlette.testclient import TestClient

from lpa_ops.read_api.app import read_api
from lpa_ops.read_api.database import StoredRows
from lpa_sinks.clickhouse.client import endpoint
from lpa_sinks.clickhouse.readers import Readers
from lpa_sinks.testing.hand_made_rows import HandMade

NOON_MS = 3_787_560_000_000
"""Of the day of hand-made rows: 2090-01-08T12:00:00Z."""


@pytest.fixture
def made(engine: Client, empty_database: str) -> HandMade:
    return HandMade(engine, empty_database)


@pytest.fixture
def ask(made: HandMade, engine_path: Path) -> Iterator[Callable[[str], Any]]:
    """What a URL below ``/v1`` answers at noon."""
    readers = Readers(endpoint(f"chdb://{engine_path}", database="", user=""), "", 30)
    api = TestClient(read_api(StoredRows(readers, made.database, 30), "", lambda: NOON_MS))

    def answer(url: str) -> Any:
        found = api.get(f"/v1/{url}")
        assert found.status_code == 200, found.text
        return found.json()

    yield answer
    readers.close()
