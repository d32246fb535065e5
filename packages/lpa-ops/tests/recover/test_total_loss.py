"""Which backup a lost database is brought back from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import attrs
import pytest
from clickhouse_connect.driver.client import Client

from lpa_core.plugins.manager import PluginManager
from lpa_core.settings.settings import ClickHouseSettings, ProcessSettings, Settings
from lpa_core.tables.row_layout import RAW_TABLE
from lpa_ops.backup.store import BackupStore
from lpa_ops.positions.checkpoints import sink_name
from lpa_ops.positions.stored_tables import Content
from lpa_ops.recover.scenario import Context
from lpa_ops.recover.total_loss import Loss, TotalLoss
from lpa_ops.testing.backups import FULL
from lpa_sinks.schema.apply import apply


@pytest.fixture
def context(tmp_path: Path) -> Context:
    """Of a database that does not exist."""
    settings = Settings(lpa=ProcessSettings(data_dir=tmp_path / "data"))
    return Context(settings, PluginManager(settings), None, str(tmp_path / "backups"))


def assessed(context: Context, tmp_path: Path, backups: Sequence[str]) -> Loss:
    """With backups, oldest first: of the database or of another one, with a record or without."""
    store, own = BackupStore(context.backups), sink_name(None, context.settings)
    (tmp_path / "database").mkdir(exist_ok=True)
    (tmp_path / "database" / "part.bin").write_bytes(b"rows")
    for age, id_ in enumerate(reversed(backups)):
        backup = attrs.evolve(
            FULL,
            id=id_,
            created_ms=FULL.created_ms - age,
            sink=own if id_.startswith("own") else FULL.sink,
            tables={"streaming_events": Content(0, 0) if id_.endswith("empty") else Content(1, 2, 3)},
        )
        store.keep(backup, {"database": tmp_path / "database"})
    return TotalLoss().assess(context)


@pytest.mark.parametrize(
    ("backups", "chosen"),
    [
        (["own", "own-newer", "other"], "own-newer"),
        (["other", "own", "own-empty", "other-empty"], "own"),
        (["other", "own-empty", "other-newer"], "own-empty"),
    ],
)
def test_its_own_newest_with_records_counts_where_there_is_one_of_its_own(
    backups: Sequence[str], chosen: str, context: Context, tmp_path: Path
) -> None:
    found = assessed(context, tmp_path, backups)
    assert Path(found.location).name == chosen
    assert not [each for each in found.lost if "the backup was made of" in each]


@pytest.mark.parametrize(
    ("backups", "chosen"),
    [
        (["other", "other-newer", "other-empty"], "other-newer"),
        (["other-empty", "other-newer-empty"], "other-newer-empty"),
    ],
)
def test_those_of_another_count_where_there_is_none_of_its_own(
    backups: Sequence[str], chosen: str, context: Context, tmp_path: Path
) -> None:
    found = assessed(context, tmp_path, backups)
    assert Path(found.location).name == chosen
    assert found.lost[0] == f"nothing of it, if this is right: the backup was made of {FULL.sink}"


@pytest.mark.slow
def test_a_database_without_records_is_a_new_one_unless_a_backup_has_some(
    engine: Client, engine_path: Path, database: str, context: Context, tmp_path: Path
) -> None:
    apply(engine, database, [RAW_TABLE])
    settings = attrs.evolve(context.settings, clickhouse=ClickHouseSettings(database=database))
    context = attrs.evolve(context, settings=settings, sink=f"chdb://{engine_path}")
    assert assessed(context, tmp_path, []).damage == []
    assert assessed(context, tmp_path, ["own-empty"]).damage == []
    assert assessed(context, tmp_path, ["own"]).damage == [f"the tables of {database} are empty"]
    engine.command(f"INSERT INTO {database}.streaming_events (source_topic, source_offset) SELECT 'a topic', 7")
    assert TotalLoss().assess(context).damage == []
