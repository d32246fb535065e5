"""Freezes: what `lpa backup create --freeze` leaves on the disk of the database, and who takes it away."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import attrs
import pytest
from clickhouse_connect.driver.client import Client
from structlog.testing import capture_logs

from lpa_core.plugins.manager import PluginManager
from lpa_core.settings.settings import ClickHouseSettings, ProcessSettings, Settings
from lpa_ops.backup.backup import Backup, BackupError, Freeze
from lpa_ops.backup.create import create
from lpa_ops.backup.prune import prune
from lpa_ops.backup.retention import DAY_MS
from lpa_ops.backup.store import BackupStore
from lpa_ops.positions.checkpoints import sink_name
from lpa_ops.testing.backups import FULL
from lpa_sinks.clickhouse.database import opened
from lpa_sinks.testing.http_front import PASSWORD, USER, Fault, Front

NOW = FULL.created_ms + 100 * DAY_MS


@pytest.fixture
def settings(database: str, tmp_path: Path) -> Settings:
    return Settings(
        clickhouse=ClickHouseSettings(database=database, user=USER, password=PASSWORD),
        lpa=ProcessSettings(data_dir=tmp_path / "data"),
    )


@pytest.fixture
def store(tmp_path: Path) -> BackupStore:
    return BackupStore(str(tmp_path / "backups"))


@pytest.fixture
def filled(engine: Client, database: str) -> str:
    """A database with two tables."""
    engine.command(f"CREATE DATABASE {database}")
    for table in ("first", "second"):
        engine.command(f"CREATE TABLE {database}.{table} (number UInt64) ENGINE = MergeTree ORDER BY number")
        engine.command(f"INSERT INTO {database}.{table} SELECT number FROM numbers(100)")
    return database


@pytest.fixture
def front(engine: Client, engine_path: Path) -> Iterator[Front]:
    with Front(engine_path).serving() as front:
        yield front


def made(sink: str, settings: Settings, store: BackupStore, *, freeze: bool) -> Backup:
    with opened(sink, settings) as (client, database):
        return create(client, database, sink, settings, PluginManager(settings), store, freeze=freeze)[1]


def parts(engine_path: Path, freeze: Freeze) -> list[Path]:
    """The folders of the parts in a freeze."""
    folder = engine_path / "shadow" / freeze.name
    return sorted({path.parent for path in folder.rglob("*") if path.is_file()})


@pytest.mark.parametrize("where", ["embedded", "server"])
def test_rows_come_back_from_the_freeze_that_belongs_to_the_backup(
    where: str, engine: Client, engine_path: Path, filled: str, settings: Settings, store: BackupStore, front: Front
) -> None:
    sink = f"chdb://{engine_path}" if where == "embedded" else f"http://127.0.0.1:{front.port}/{filled}"
    assert made(sink, settings, store, freeze=False).freeze is None
    backup = made(sink, settings, store, freeze=True)
    assert backup.freeze is not None
    assert [each.backup.freeze for each in store.list() if each.backup] == [None, backup.freeze]
    assert set(backup.freeze.tables) == {"first", "second"}

    engine.command(f"TRUNCATE TABLE {filled}.first")
    (part,) = [each for each in parts(engine_path, backup.freeze) if each.parent.name == backup.freeze.tables["first"]]
    found = engine.query(f"SELECT data_paths FROM system.tables WHERE database = '{filled}' AND name = 'first'")
    shutil.copytree(part, Path(found.result_rows[0][0][0]) / "detached" / part.name)
    engine.command(f"ALTER TABLE {filled}.first ATTACH PART '{part.name}'")
    assert engine.query(f"SELECT count(), sum(number) FROM {filled}.first").result_rows == [(100, 4950)]

    assert prune(store, settings, backup.created_ms + 100 * DAY_MS, sink) != []
    assert parts(engine_path, backup.freeze) != [], "the newest backup stays, and so does its freeze"
    made(sink, settings, store, freeze=False)
    prune(store, settings, backup.created_ms + 101 * DAY_MS, sink)
    assert backup.id not in [each.name for each in store.list()]
    assert parts(engine_path, backup.freeze) == []


def test_failure_20_a_freeze_that_is_refused_leaves_neither_backup_nor_freeze(
    engine_path: Path, filled: str, settings: Settings, store: BackupStore, front: Front
) -> None:
    front.faults.append(Fault("second` FREEZE", code=497, text="Not enough privileges"))
    shadow = engine_path / "shadow"
    before = {path for path in shadow.rglob("*") if path.is_file()}
    with pytest.raises(BackupError, match=r"not frozen: .*ALTER FREEZE PARTITION"):
        made(f"http://127.0.0.1:{front.port}/{filled}", settings, store, freeze=True)
    assert store.list() == []
    assert {path for path in shadow.rglob("*") if path.is_file()} - before <= {shadow / "increment.txt"}


def test_failure_20_a_backup_stays_if_its_freeze_cannot_be_removed_and_of_a_replaced_table_the_folder_is_named(
    engine: Client, engine_path: Path, filled: str, settings: Settings, store: BackupStore, front: Front
) -> None:
    sink = f"http://127.0.0.1:{front.port}/{filled}"
    frozen = made(sink, settings, store, freeze=True)
    newest = made(sink, settings, store, freeze=False)
    front.faults.append(Fault("second` UNFREEZE", code=497, text="Not enough privileges"))
    with pytest.raises(BackupError, match=r"its freeze .* cannot be removed: .*ALTER FREEZE PARTITION"):
        prune(store, settings, frozen.created_ms + 100 * DAY_MS, sink)
    assert [each.name for each in store.list()] == [frozen.id, newest.id]

    engine.command(f"DROP TABLE {filled}.second SYNC")
    engine.command(f"CREATE TABLE {filled}.second (number UInt64) ENGINE = MergeTree ORDER BY number")
    with capture_logs() as logs:
        prune(store, settings, frozen.created_ms + 100 * DAY_MS, sink)
    assert [each.name for each in store.list()] == [newest.id]
    assert frozen.freeze is not None
    (warning,) = [each for each in logs if each["log_level"] == "warning"]
    assert (warning["folder"], warning["tables"]) == (f"shadow/{frozen.freeze.name}", ["second"])
    assert len(parts(engine_path, frozen.freeze)) == 1, "the replaced one's"


def stored(store: BackupStore, backup: Backup, tmp_path: Path) -> None:
    database = tmp_path / "database"
    database.mkdir(exist_ok=True)
    (database / "part.bin").write_bytes(b"rows")
    store.keep(backup, {"database": database})


def test_a_freeze_of_the_embedded_database_is_removed_without_opening_it(
    settings: Settings, store: BackupStore, tmp_path: Path
) -> None:
    own = attrs.evolve(FULL, sink=sink_name(None, settings))
    stored(store, attrs.evolve(own, id="old", freeze=Freeze("old", {"first": "uuid"})), tmp_path)
    stored(store, attrs.evolve(own, id="new", created_ms=FULL.created_ms + 1), tmp_path)
    shadow = settings.lpa.data_dir / "clickhouse" / "shadow"
    unfinished = "backup-20250101T000000Z-abcdef"
    (tmp_path / "backups" / unfinished).mkdir()
    (tmp_path / "backups" / unfinished / "file").touch()
    for name in ("old", "other", unfinished.replace("-", "_")):
        (shadow / name / "store").mkdir(parents=True)
    assert prune(store, settings, NOW) == [store.location("old"), store.location(unfinished)]
    assert [path.name for path in shadow.iterdir()] == ["other"]
    assert prune(store, settings, NOW) == []


def test_failure_20_a_backup_with_a_freeze_elsewhere_stays_and_is_named(
    settings: Settings, store: BackupStore, tmp_path: Path
) -> None:
    elsewhere = attrs.evolve(FULL, sink="http:elsewhere:8123/d")
    for number, (name, base, freeze) in enumerate(
        [("base", "", None), ("frozen", "base", Freeze("frozen", {})), ("old", "", None), ("new", "", None)]
    ):
        backup = attrs.evolve(elsewhere, id=name, base=base, freeze=freeze, created_ms=FULL.created_ms + number)
        stored(store, backup, tmp_path)
    with pytest.raises(BackupError, match=r"1 backup removed, frozen has a freeze in http:elsewhere:8123/d"):
        prune(store, settings, NOW)
    assert [each.name for each in store.list()] == ["base", "frozen", "new"], "with what it adds to"
