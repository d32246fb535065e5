"""A database with tables and nothing in them."""

from __future__ import annotations

from collections.abc import Iterator

import attrs
import pytest

from lpa_core.plugins.manager import PluginManager
from lpa_core.settings.settings import ClickHouseSettings
from lpa_ops.testing.checked_database import CheckedDatabase
from lpa_sinks import schema

DATABASE = "bare"


@pytest.fixture
def bare(day: CheckedDatabase) -> Iterator[CheckedDatabase]:
    settings = attrs.evolve(day.settings, clickhouse=ClickHouseSettings(database=DATABASE))
    typed = [table for each in PluginManager(settings).event_types() for table in each.tables]
    schema.apply(day.engine, DATABASE, typed)
    yield attrs.evolve(day, settings=settings)
    day.engine.command(f"DROP DATABASE {DATABASE} SYNC")
