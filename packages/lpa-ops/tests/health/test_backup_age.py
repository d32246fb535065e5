"""The newest backup that can be read is judged by its age."""

from __future__ import annotations

from pathlib import Path

import attrs
import pytest

from lpa_core.health.check import NotApplicable, Scope
from lpa_core.settings.settings import ProcessSettings, Settings
from lpa_core.settings.thresholds import State
from lpa_ops.backup.store import BackupStore
from lpa_ops.health.checks.backup_age import judge
from lpa_ops.positions.checkpoints import sink_name
from lpa_ops.testing.backups import FULL

HOUR_MS = 3_600_000
NOW = 1_767_900_000_000


def scope(backup_dir: Path | str) -> Scope:
    return Scope(Settings(lpa=ProcessSettings(backup_dir=str(backup_dir), data_dir="nowhere")), NOW, NOW - HOUR_MS)


def keep(root: Path, age_hours: float, sink: str | None = None) -> None:
    (root.parent / "database").mkdir(exist_ok=True)
    (root.parent / "database" / "part").write_bytes(b"rows")
    backup = attrs.evolve(
        FULL,
        id=f"backup-{age_hours}",
        created_ms=NOW - int(age_hours * HOUR_MS),
        sink=sink_name(sink, scope(root).settings),
    )
    BackupStore(str(root)).keep(backup, {"database": root.parent / "database"})


def test_a_backup_ages_and_another_one_mends_it(tmp_path: Path) -> None:
    root = tmp_path / "backups"
    keep(root, 60)
    found = judge(scope(root))
    assert (found.state, found.value) == (State.CRITICAL, 60)
    assert "lpa backup create" in found.action
    keep(root, 30)
    assert judge(scope(root)).state is State.WARNING
    keep(root, 2)
    keep(root, 0.5, sink="clickhouse://another-host:8123/livepeer_analytics")
    found = judge(scope(root))
    assert (found.state, found.value, found.action) == (State.OK, 2, "")


def test_a_place_without_backups_is_red_and_no_place_is_not_judged(tmp_path: Path) -> None:
    assert judge(scope(tmp_path / "backups")).state is State.CRITICAL
    with pytest.raises(NotApplicable, match=r"no backup in /.+/nowhere/backups: `lpa backup create` makes one"):
        judge(scope(""))
