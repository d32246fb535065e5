from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client

from lpa_core.events.registry import BUILTIN_EVENT_TYPES
from lpa_core.tables.row_layout import DLQ_TABLE, QUARANTINE_TABLE, RAW_TABLE
from lpa_core.tables.table import Table


@pytest.fixture(scope="session")
def tables() -> Sequence[Table]:
    """Every built-in table."""
    typed = chain.from_iterable(event_type.tables for event_type in BUILTIN_EVENT_TYPES)
    return [RAW_TABLE, DLQ_TABLE, QUARANTINE_TABLE, *typed]


@pytest.fixture
def applied(empty_database: str) -> str:
    """The name of a database with the schema."""
    return empty_database


Query = Callable[[str], list[tuple[Any, ...]]]


@pytest.fixture
def query(engine: Client) -> Query:
    return lambda sql: [tuple(row) for row in engine.query(sql).result_rows]
