"""Rows are counted in one way: what a backup says it holds is what a restore says it brought back."""

from __future__ import annotations

from pathlib import Path

import pytest
from clickhouse_connect.driver.client import Client

from lpa_core.generate.generator import generate
from lpa_core.jobs.assembly import Job
from lpa_core.jobs.ingest import ingest
from lpa_core.plugins.manager import PluginManager
from lpa_core.settings.settings import ClickHouseSettings, ProcessSettings, Settings
from lpa_ops.backup.create import create
from lpa_ops.backup.restore import restore
from lpa_ops.backup.store import BackupStore

VERSIONS = ("fact_workflow_sessions_versions", "agg_stream_performance_1m_versions")


@pytest.mark.slow
def test_failure_19_a_restore_counts_rows_as_the_backup_did(
    engine: Client, engine_path: Path, database: str, tmp_path: Path
) -> None:
    settings = Settings(
        clickhouse=ClickHouseSettings(database=database), lpa=ProcessSettings(data_dir=tmp_path / "data")
    )
    sink, file = f"chdb://{engine_path}", tmp_path / "events.ndjson"
    file.write_bytes(b"".join(line + b"\n" for line in generate(300, duplicates=0, bad=0, sessions=5, seed=3)))
    ingest(Job(str(file), [sink]), settings, PluginManager(settings))
    for table in VERSIONS:
        engine.command(f"SYSTEM STOP MERGES {database}.{table}")
        engine.command(
            f"INSERT INTO {database}.{table} SELECT * REPLACE (version + 1 AS version) FROM {database}.{table}"
        )
    location, backup = create(
        engine, database, sink, settings, PluginManager(settings), BackupStore(str(tmp_path / "backups"))
    )
    unmerged = {table: engine.query(f"SELECT count() FROM {database}.{table}").result_rows[0][0] for table in VERSIONS}
    restored = restore(location, sink, settings, PluginManager(settings), replace=True)
    assert {name: restored.rows[name] for name in backup.tables} == {
        name: content.rows for name, content in backup.tables.items()
    }
    assert all(0 < restored.rows[table] < unmerged[table] for table in VERSIONS)
