"""Checkpoints that a restore puts back."""

from __future__ import annotations

from pathlib import Path

import pytest

from lpa_core.delivery.checkpoint import FileCheckpoint
from lpa_core.delivery.ranges import Progress
from lpa_core.settings.settings import ProcessSettings, Settings
from lpa_ops.backup.backup import BackupError
from lpa_ops.backup.checkpoints import put_back, require_readable


def test_of_a_file_that_another_sink_has_too_it_is_known_that_nothing_is_finished(tmp_path: Path) -> None:
    settings = Settings(lpa=ProcessSettings(data_dir=tmp_path))
    here, there = "clickhouse:a:8123/db", "clickhouse:b:8123/db"
    found = {}
    for sink in (here, f"{here},{there}", there):
        checkpoint = FileCheckpoint(tmp_path / "checkpoints", "f.ndjson", 0, sink)
        assert not checkpoint.known
        checkpoint.put_back(Progress(7, "resume"), None)
        checkpoint.close()
    (tmp_path / "backup").mkdir()
    assert put_back(tmp_path / "backup", here, here, settings) == 0
    for sink in (here, f"{here},{there}", there):
        checkpoint = FileCheckpoint(tmp_path / "checkpoints", "f.ndjson", 0, sink)
        found[sink] = (checkpoint.known, checkpoint.progress.offset)
        checkpoint.close()
    assert found == {here: (False, 0), f"{here},{there}": (True, 0), there: (True, 7)}


def test_failure_04_a_checkpoint_of_a_later_version_is_refused(tmp_path: Path) -> None:
    checkpoint = FileCheckpoint(tmp_path, "f.ndjson", 0, "chdb:/here")
    checkpoint.put_back(Progress(7, "resume"), None)
    checkpoint.close()
    require_readable(tmp_path, "backups/one")
    (file,) = tmp_path.glob("*.json")
    file.write_text(file.read_text().replace('"offset"', '"of_a_later_version":1,"offset"'))
    with pytest.raises(BackupError, match=f"backups/one/checkpoints/{file.name} cannot be read"):
        require_readable(tmp_path, "backups/one")
