"""A database that is gone stays gone until somebody brings it back: nothing makes an empty one in its place."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from services.preloaded import preloaded_lpa


def lpa(folder: Path, *words: str) -> tuple[int, str]:
    done = subprocess.run([preloaded_lpa(), *words], cwd=folder, capture_output=True, text=True, timeout=300)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.slow
def test_a_database_of_ignored_records_only_is_not_taken_for_a_lost_one(tmp_path: Path) -> None:
    event = '{"id": "1", "type": "stream_trace", "timestamp": 1767873600000, "data": {"type": "app_start"}}\n'
    (tmp_path / "events.ndjson").write_text(event)
    status, said = lpa(tmp_path, "ingest", "events.ndjson", "--no-facts")
    assert (status, "ignored_event_counts" in said) == (0, True), said
    status, said = lpa(tmp_path, "ingest", "events.ndjson", "--no-facts")
    assert (status, "Nothing new" in said) == (0, True), said


@pytest.mark.slow
def test_a_refused_ingest_leaves_no_database_that_looks_healthy(tmp_path: Path) -> None:
    lpa(tmp_path, "generate", "--events", "50", "--output", "events.ndjson")
    assert lpa(tmp_path, "ingest", "events.ndjson", "--no-facts")[0] == 0
    status, said = lpa(tmp_path, "triage")
    assert (status, "has no replay_outcomes: `lpa schema apply` makes it" in said) == (2, True)
    database = tmp_path / "lpa-data" / "clickhouse"
    shutil.rmtree(database)
    status, said = lpa(tmp_path, "ingest", "events.ndjson")
    assert status == 1
    assert "holds nothing, though 50 records of events.ndjson were stored in it" in said
    assert not database.exists()
    status, said = lpa(tmp_path, "triage")
    assert (status, "there is no embedded database yet" in said) == (2, True)
    assert "Nothing was dead-lettered" not in said
    lpa(tmp_path, "schema", "apply")
    status, said = lpa(tmp_path, "recover", "total-loss")
    assert (status, "has no backup to recover from" in said) == (1, True), "an empty one in its place is a loss too"
