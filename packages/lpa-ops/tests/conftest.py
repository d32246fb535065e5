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
from lpa_core.jobs import Job
from lpa_core.plugins.manager import PluginManager
from lpa_core.runner import ingest
from lpa_core.settings import ClickHouseSettings, ProcessSettings, Settings
from lpa_ops.testing.day import HOUR_MS, Day

DATABASE: Final = "a_day"


@pytest.fixture(scope="session")
def day(engine: Client, engine_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Day]:
    """Tests that change it change it back."""
    folder = tmp_path_factory.mktemp("day")
    settings = Settings(
        clickhouse=ClickHouseSettings(database=DATABASE),
        lpa=ProcessSettings(data_dir=folder, plugins_required=("core", "sinks")),
    )
    began = time.time_ns() // 1_000_000
    records = generate(3000, duplicates=0.02, bad=0.002, sessions=30, seed=6, start_ms=began - 20 * HOUR_MS)
    events = folder / "events.ndjson"
    events.write_bytes(b"".join(chain.from_iterable((record, b"\n") for record in records)))
    sink = f"chdb://{engine_path}"
    ingest(Job(str(events), [sink], "memory://"), settings, PluginManager(settings))
    _make_facts(engine)
    yield Day(settings, sink, engine, time.time_ns() // 1_000_000 + HOUR_MS)
    engine.command(f"DROP DATABASE {DATABASE} SYNC")


def _make_facts(engine: Client) -> None:
    """Status samples and their rollup, all of them attributed: as much as checks of this package look at."""
    engine.command(
        f"INSERT INTO {DATABASE}.fact_stream_status_samples_versions (sample_ts, workflow_session_id, stream_id, "
        "orchestrator_address, pipeline, state, output_fps, is_attributed, source_event_uid, ingestion_timestamp) "
        "SELECT event_timestamp, concat(stream_id, '|', request_id), stream_id, orchestrator_address, pipeline, state, "
        f"output_fps, 1, raw_event_uid, ingestion_timestamp FROM {DATABASE}.ai_stream_status"
    )
    engine.command(
        f"INSERT INTO {DATABASE}.agg_stream_performance_1m_versions (window_start, orchestrator_address, pipeline, "
        "sessions_uniq_state, ingestion_timestamp) SELECT toStartOfMinute(sample_ts), orchestrator_address, pipeline, "
        f"uniqExactState(workflow_session_id), max(ingestion_timestamp) FROM {DATABASE}.fact_stream_status_samples "
        "GROUP BY 1, 2, 3"
    )
