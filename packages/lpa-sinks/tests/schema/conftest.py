from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client

from lpa_core.events.registry import BUILTIN_EVENT_TYPES
from lpa_core.plugins.manager import PluginManager
from lpa_core.settings.settings import ClickHouseSettings, ProcessSettings, Settings
from lpa_core.tables.row_layout import DLQ_TABLE, QUARANTINE_TABLE, RAW_TABLE
from lpa_core.tables.table import Table
from lpa_sinks.commands.schema import schema_app


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


@pytest.fixture
def run(engine: Client, engine_path: Path, applied: str, tmp_path: Path) -> Callable[..., Any]:
    """Runs ``lpa schema`` on a database with the schema and ten rows, and the migrations in the folder."""
    engine.command(
        f"INSERT INTO {applied}.streaming_events (id, timestamp, source_offset) "
        "SELECT toString(number), toUnixTimestamp64Milli(now64(3)), number FROM numbers(10)"
    )
    app = schema_app(
        PluginManager(
            Settings(clickhouse=ClickHouseSettings(database=applied), lpa=ProcessSettings(data_dir=tmp_path / "data"))
        ).context
    )

    def command(*arguments: str) -> Any:
        given = (*arguments, "--sink", f"chdb://{engine_path}", "--migrations", str(tmp_path / "migrations"))
        return app(given, result_action="return_value", exit_on_error=False)

    return command
