"""Which backups are removed, and which never."""

from __future__ import annotations

from pathlib import Path

import attrs
import pytest

from lpa_core.settings.loading import SettingsError, load
from lpa_core.settings.settings import ProcessSettings, Settings
from lpa_ops.backup.backup import Backup
from lpa_ops.backup.prune import prune
from lpa_ops.backup.retention import DAY_MS, expired, expires_ms, retention_days
from lpa_ops.backup.store import BackupStore
from lpa_ops.positions.stored_tables import Content
from lpa_ops.testing.backups import FULL

DAYS = {"dev": 7, "prod": 90}
NOW = 1_767_900_000_000


def backup(
    id_: str, age_days: float, environment: str = "dev", base: str = "", database: str = "d", sink: str = FULL.sink
) -> Backup:
    return attrs.evolve(
        FULL,
        id=id_,
        created_ms=NOW - int(age_days * DAY_MS),
        environment=environment,
        base=base,
        database=database,
        sink=sink,
    )


def removed(*backups: Backup) -> list[str]:
    return [each.id for each in expired(backups, DAYS, NOW)]


def test_each_environment_has_its_own_time() -> None:
    assert removed(backup("a", 8), backup("b", 6.9), backup("c", 7)) == ["a", "c"]
    assert removed(backup("a", 80, "prod"), backup("b", 91, "prod"), backup("c", 1, "prod")) == ["b"]
    assert removed(backup("a", 1000, "staging"), backup("b", 1, "staging")) == [], "no time is set for it"
    assert expires_ms(backup("a", 1), DAYS) == NOW + 6 * DAY_MS


def test_the_newest_full_one_stays_however_old() -> None:
    assert removed(backup("a", 30), backup("b", 20)) == ["a"]
    assert removed(backup("a", 30), backup("b", 20, database="other")) == []
    assert removed(backup("a", 30), backup("b", 100, "prod")) == []
    assert removed(backup("a", 30), backup("b", 20, sink="clickhouse://another-host:8123/d")) == []


def test_the_newest_that_has_records_stays_however_many_empty_ones_came_after_it() -> None:
    empty = attrs.evolve(backup("empty", 1), tables={"streaming_events": Content(0, 0)})
    assert removed(backup("a", 40), backup("b", 30), empty) == ["a"]


def test_what_another_one_adds_to_stays_with_it() -> None:
    full, other, added = backup("full", 30), backup("other", 2), backup("added", 1, base="full")
    assert removed(full, other, added) == []
    assert removed(full, other, attrs.evolve(added, created_ms=full.created_ms + 1)) == ["full", "added"]


def test_days_are_read_from_the_settings() -> None:
    settings = Settings(lpa=ProcessSettings(backup_retention="dev=3, prod=400"))
    assert retention_days(settings) == {"dev": 3, "prod": 400}
    for wrong in ("dev", "dev=0", "test=3", "dev=three", "dev=999999999d"):
        with pytest.raises(ValueError):
            ProcessSettings(backup_retention=wrong)


@pytest.mark.parametrize("days", ["36501", "999999999", "9" * 5000])
def test_so_many_days_that_no_calendar_has_them_are_refused(days: str) -> None:
    assert retention_days(load({"LPA_BACKUP_RETENTION": "prod=36500"})) == {"prod": 36_500}
    with pytest.raises(SettingsError, match="LPA_BACKUP_RETENTION") as refused:
        load({"LPA_BACKUP_RETENTION": f"prod={days}"})
    assert "36500 at most" in str(refused.value)


def test_prune_removes_files_and_folders(tmp_path: Path) -> None:
    store = BackupStore(str(tmp_path / "backups"))
    database = tmp_path / "database"
    (database / "data" / "d").mkdir(parents=True)
    (database / "data" / "d" / "part.bin").write_bytes(b"rows")
    for each in (backup("a", 30), backup("b", 10, base="a"), backup("c", 1)):
        store.keep(each, {"database": database})
    for broken_off in ("backup-20260101T000000Z-abcdef", "backup-20990101T000000Z-abcdef", "mine"):
        (tmp_path / "backups" / broken_off / "database").mkdir(parents=True)
        (tmp_path / "backups" / broken_off / "database" / "x").touch()
    gone = prune(store, Settings(), NOW)
    assert [Path(each).name for each in gone] == ["b", "a", "backup-20260101T000000Z-abcdef"]
    left = sorted(path.name for path in (tmp_path / "backups").iterdir())
    assert left == ["backup-20990101T000000Z-abcdef", "c", "mine"]
    assert [each.backup for each in store.list()] == [backup("c", 1)]


def test_what_was_begun_less_than_a_day_ago_may_still_be_being_made(tmp_path: Path) -> None:
    store = BackupStore(str(tmp_path))
    for unfinished in ("backup-20260107T192000Z-abcdef", "backup-20260107T192001Z-abcdef"):
        (tmp_path / unfinished / "database").mkdir(parents=True)
        (tmp_path / unfinished / "database" / "x").touch()
    gone = prune(store, Settings(), NOW)
    assert [Path(each).name for each in gone] == ["backup-20260107T192000Z-abcdef"]
    assert [path.name for path in tmp_path.iterdir()] == ["backup-20260107T192001Z-abcdef"]
