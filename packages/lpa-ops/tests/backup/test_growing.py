"""A backup of what is written to meanwhile: what came behind its boundaries is read again, and nothing is lost."""

from __future__ import annotations

from pathlib import Path

import pytest
from clickhouse_connect.driver.client import Client

from lpa_core.generate.generator import generate
from lpa_core.jobs.assembly import Job
from lpa_core.jobs.ingest import ingest
from lpa_core.plugins.manager import PluginManager
from lpa_core.settings.settings import ClickHouseSettings, ProcessSettings, Settings
from lpa_ops.backup import database as copying
from lpa_ops.backup.create import create
from lpa_ops.backup.restore import restore
from lpa_ops.backup.store import BackupStore

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("behind", [False, True])
def test_a_file_that_grows_around_the_copy_is_stored_once(
    behind: bool, engine: Client, engine_path: Path, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(
        clickhouse=ClickHouseSettings(database=database), lpa=ProcessSettings(data_dir=tmp_path / "data")
    )
    sink, file, back_up = f"chdb://{engine_path}", tmp_path / "events.ndjson", copying.back_up
    lines = [line + b"\n" for line in generate(600, duplicates=0.05, bad=0.02, sessions=10, seed=3)]

    def grow(end: int) -> int:
        file.write_bytes(b"".join(lines[:end]))
        return ingest(Job(str(file), [sink]), settings, PluginManager(settings)).read

    def while_it_grows(client: Client, *where: str) -> None:
        if not behind:
            grow(400)
        back_up(client, *where)
        if behind:
            grow(400)

    grow(200)
    with monkeypatch.context() as patched:
        patched.setattr(copying, "back_up", while_it_grows)
        location, _ = create(
            engine, database, sink, settings, PluginManager(settings), BackupStore(str(tmp_path / "backups"))
        )
    restored = restore(location, sink, settings, PluginManager(settings), replace=True)
    assert (sum(restored.cut.values()) > 0) is not behind
    assert grow(600) == 400
    tables = ("streaming_events", "streaming_events_dlq", "streaming_events_quarantine")
    stored = " UNION ALL ".join(f"SELECT source_offset FROM {database}.{table}" for table in tables)
    assert sorted(offset for (offset,) in engine.query(stored).result_rows) == list(range(600))
