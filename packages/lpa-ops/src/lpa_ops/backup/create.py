"""Makes a backup, also while rows are being written.

Positions define what is consistent. lpa reads how far every source is read, then copies the database. All rows from
before these boundaries are in the tables by then, and stay. Rows from after them may be in the copy or not. A restore
deletes them and reads them from their source again.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterable, Mapping, Sequence
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path

import attrs
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from lpa_core.data_folder import claims_name
from lpa_core.delivery.checkpoint import StoredCheckpoint
from lpa_core.delivery.checkpoint import encode as encode_checkpoint
from lpa_core.delivery.consumer_group import Commit, Partition
from lpa_core.jobs.restoration import require_whole
from lpa_core.kafka.admin import admin_client
from lpa_core.kafka.committed_offsets import committed_in_the_end
from lpa_core.kafka.permissions import require
from lpa_core.plugins.fingerprint import fingerprint
from lpa_core.plugins.manager import PluginManager
from lpa_core.release import require_clock
from lpa_core.settings.settings import Settings
from lpa_core.uris import scheme
from lpa_ops.backup import claims, database
from lpa_ops.backup.backup import (
    CHECKPOINTS_FOLDER,
    FILE_CLAIMS_FOLDER,
    Backup,
    BackupError,
)
from lpa_ops.backup.backups_of_database import backups_of
from lpa_ops.backup.configuration import configuration
from lpa_ops.backup.freeze import frozen
from lpa_ops.backup.store import BackupStore
from lpa_ops.bundle.scratch import scratch_folder
from lpa_ops.positions.checkpoints import checkpoints, from_kafka, sink_name
from lpa_ops.positions.committed import of_derivation
from lpa_ops.positions.stored_tables import Content, StoredTable, content, positions, stored_tables
from lpa_sinks.clickhouse.database import endpoint_of
from lpa_sinks.clickhouse.errors import describe, explain


def create(
    client: Client,
    name: str,
    sink: str | None,
    settings: Settings,
    plugins: PluginManager,
    store: BackupStore,
    *,
    base: str = "",
    freeze: bool = False,
) -> tuple[str, Backup]:
    """Make a backup of the database ``name`` and return where it is.

    Args:
        sink: the URI by which the database is known to jobs; None for the embedded one.
        base: id of a full backup in the same store: only what it does not have is written.
        freeze: whether to freeze the tables, too.

    Raises BackupError, CheckpointError if a restore into it was interrupted, BrokerError, BrokerUnavailable,
    SettingsError.
    """
    _require_apart(store, sink, settings)
    store.check()
    with scratch_folder(settings) as scratch:
        try:
            return _create(client, name, sink, settings, plugins, store, base, freeze, scratch)
        except ClickHouseError as error:
            raise BackupError(f"{name}: {describe(error)}: {explain(error)}") from None


def _require_apart(store: BackupStore, sink: str | None, settings: Settings) -> None:
    path = endpoint_of(sink, settings).path
    if path is not None and scheme(store.root) == "file" and Path(store.root).resolve().is_relative_to(path.resolve()):
        raise BackupError(
            f"{store.root} is in the folder of the database, and would be lost with it: name another folder with "
            "--location or LPA_BACKUP_DIR"
        )


def _create(
    client: Client,
    name: str,
    sink: str | None,
    settings: Settings,
    plugins: PluginManager,
    store: BackupStore,
    base: str,
    freeze: bool,
    scratch: Path,
) -> tuple[str, Backup]:
    require_whole([sink_name(sink, settings)], settings)
    tables = stored_tables(client, name)
    if not tables:
        raise BackupError(f"the database {name} has no tables: there is nothing to back up")
    # The order is what makes a backup consistent: nothing is written that was not prepared, so whoever has rows by now
    # has committed where it stands; and all that is committed is in the tables before they are copied.
    stored = positions(client, tables)
    files = checkpoints(settings, sink_name(sink, settings))
    if not stored:
        _require_new(name, sink, files.values(), settings, store)
    commits = _commits(settings) if from_kafka(stored, files.values(), settings) else {}
    derived = _committed(of_derivation(settings)) if commits else {}
    boundaries = {
        **stored,
        **{Partition(each.topic, each.partition): each.progress.offset for each in files.values()},
        **{partition: commit.offset for partition, commit in commits.items()},
    }
    folders, dedup, note = _claims(settings, commits, scratch)
    folders[CHECKPOINTS_FOLDER] = _copied(files.values(), scratch)
    folders["configuration"] = configuration(client, name, settings, scratch / "configuration")

    now = require_clock(time.time_ns() // 1_000_000)
    loaded = [plugin for plugin in plugins.plugins if not plugin.disabled]
    id_ = f"backup-{datetime.fromtimestamp(now / 1000, UTC):%Y%m%dT%H%M%SZ}-{uuid.uuid4().hex[:6]}"
    before = _contents(client, [table for table in tables if not table.tells_positions], {})
    database.back_up(client, name, store.location(id_), store.location_of(base) if base else "")
    after = _contents(client, tables, boundaries)
    if not commits and from_kafka(positions(client, tables), files.values(), settings):
        raise BackupError(
            f"the first records of {', '.join(settings.quality.topics)} came while the backup was made: make another"
        )
    changed = [name for name, there in before.items() if after[name] != there]
    backup = Backup(
        id=id_,
        created_ms=now,
        environment=settings.lpa.environment,
        base=base,
        database=name,
        sink=sink_name(sink, settings),
        group=settings.quality.group_id if commits else "",
        commits=commits,
        derived=derived,
        boundaries=boundaries,
        dedup=dedup,
        tables={name: there for name, there in after.items() if name not in changed},
        unsettled=changed,
        note=note,
        settings_fingerprint=fingerprint(settings, loaded),
        versions={**{plugin.package: plugin.version for plugin in loaded}, "clickhouse": str(client.server_version)},
    )
    with frozen(client, name, tables, id_) if freeze else nullcontext() as made:
        backup = attrs.evolve(backup, freeze=made)
        return store.keep(backup, folders), backup


def _require_new(
    name: str, sink: str | None, files: Iterable[StoredCheckpoint], settings: Settings, store: BackupStore
) -> None:
    """Raise BackupError if a database that holds nothing held something once."""
    read = sum(each.progress.offset for each in files)
    filled = [store.location_of(each.id) for each in backups_of(store, sink, settings) if each.records]
    if read or filled:
        told = f"{read:,} records of files were stored in it" if read else f"{filled[-1]} has records of it"
        raise BackupError(f"{name} holds nothing, though {told}: bring it back with `lpa recover total-loss`")


def _commits(settings: Settings) -> dict[Partition, Commit]:
    commits = _committed(settings)
    if not commits:
        raise BackupError(
            f"the database holds records of {', '.join(settings.quality.topics)}, but the group "
            f"{settings.quality.group_id} has committed nothing: set QUALITY_GROUP_ID to the group that reads it, or "
            "run `lpa recover offset-loss`"
        )
    return commits


def _committed(settings: Settings) -> dict[Partition, Commit]:
    """What the group has committed for the topics of the settings."""
    admin = admin_client(settings)
    require("lpa backup create", admin, settings)
    found = committed_in_the_end(admin, settings)
    return {partition: commit for partition, commit in found.items() if partition.topic in settings.quality.topics}


def _claims(
    settings: Settings, commits: Mapping[Partition, Commit], scratch: Path
) -> tuple[dict[str, Path], dict[Partition, str], str]:
    """The folders of claims that could be copied, the names of those of partitions, and what could not be."""
    folders: dict[str, Path] = {}
    dedup: dict[Partition, str] = {}
    missing = []
    for partition in sorted(commits):
        name = f"dedup/{claims_name(*partition)}"
        folder = claims.of_partition(settings, partition)
        if claims.are_there(folder) and claims.copy(folder, scratch / name, settings):
            folders[name], dedup[partition] = scratch / name, name
        else:
            missing.append(str(partition))
    if claims.are_there(claims.of_files(settings)):
        if claims.copy(claims.of_files(settings), scratch / FILE_CLAIMS_FOLDER, settings):
            folders[FILE_CLAIMS_FOLDER] = scratch / FILE_CLAIMS_FOLDER
        else:
            missing.append("files")
    note = f"claims of {', '.join(missing)} are in use or elsewhere: they are rebuilt from the tables"
    return folders, dedup, note if missing else ""


def _copied(files: Iterable[StoredCheckpoint], scratch: Path) -> Path:
    """The checkpoints as they were read, whatever they say by now."""
    folder = scratch / CHECKPOINTS_FOLDER
    folder.mkdir()
    for number, checkpoint in enumerate(files):
        (folder / f"{number:06d}.json").write_bytes(encode_checkpoint(checkpoint))
    return folder


def _contents(client: Client, tables: Sequence[StoredTable], boundaries: Mapping[Partition, int]) -> dict[str, Content]:
    return {table.name: content(client, table, boundaries) for table in tables}
