"""A database with tables and nothing in them."""

from __future__ import annotations

import attrs
import pytest

from lpa_core.settings.settings import ClickHouseSettings
from lpa_ops.testing.checked_database import CheckedDatabase


@pytest.fixture
def bare(day: CheckedDatabase, empty_database: str) -> CheckedDatabase:
    return attrs.evolve(
        day, settings=attrs.evolve(day.settings, clickhouse=ClickHouseSettings(database=empty_database))
    )
