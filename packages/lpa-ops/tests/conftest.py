"""A generated day in the embedded engine, and what a check says of it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Final

import pytest
from clickhouse_connect.driver.client import Client

from lpa_core.generate.generator import generate
from lpa_core.jobs.assembly import Job
from lpa_core.jobs.ingest import ingest
from lpa_core.plugins.manager import PluginManager
from lpa_core.settings.settings import ClickHouseSettings, ProcessSettings, Settings
from lpa_ops.testing.checked_database import HOUR_MS, CheckedDatabase

DATABASE: Final = "a_day"


@pytest.fixture(scope="session")
def day(engine: Client, engine_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[CheckedDatabase]:
    """Tests that change it change it back."""
    folder = tmp_path_factory.mktemp("day")
    settings = Settings(
        clickhouse=ClickHouseSettings(database=DATABASE),
        lpa=ProcessSettings(data_dir=folder, plugins_required=("core", "sinks")),
    )
    began = time.time_ns() // 1_000_000
    start = began - 20 * HOUR_MS
    records = chain(
        generate(3000, duplicates=0.02, bad=0.002, sessions=30, seed=6, start_ms=start),
        generate(400, duplicates=0, bad=0, sessions=1, jobs=0.95, seed=7, start_ms=start),
    )
    events = folder / "events.ndjson"
    events.write_bytes(b"".join(chain.from_iterable((record, b"\n") for record in records)))
    sink = f"chdb://{engine_path}"
    ingest(Job(str(events), [sink], "memory://"), settings, PluginManager(settings))
    yield CheckedDatabase(settings, sink, engine, time.time_ns() // 1_000_000 + HOUR_MS)
    engine.command(f"DROP DATABASE {DATABASE} SYNC")
