"""Brings a backup back: the database up to its boundaries, and everybody who fills it to just there."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import final

import attrs
import structlog
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from lpa_core.delivery.consumer_group import Commit, Partition
from lpa_core.jobs import restoration
from lpa_core.kafka.admin import admin_client
from lpa_core.kafka.committed_offsets import commit, require_stopped
from lpa_core.kafka.permissions import require
from lpa_core.plugins.fingerprint import fingerprint
from lpa_core.plugins.manager import PluginManager
from lpa_core.settings.settings import Settings
from lpa_ops.backup import checkpoints, claims
from lpa_ops.backup.backup import CHECKPOINTS_FOLDER, FILE_CLAIMS_FOLDER, Backup, BackupError
from lpa_ops.backup.database_exchange import Exchange
from lpa_ops.backup.store import store_of
from lpa_ops.backup.version_check import require_understood
from lpa_ops.bundle.scratch import scratch_folder
from lpa_ops.positions.checkpoints import checkpoints as checkpoints_towards
from lpa_ops.positions.checkpoints import from_kafka, sink_name
from lpa_ops.positions.committed import bar, of_derivation, put_back
from lpa_ops.positions.stored_tables import positions, rows, stored_tables
from lpa_sinks.clickhouse.database import opened
from lpa_sinks.clickhouse.errors import describe, explain

_log = structlog.get_logger("lpa.backup")


@final
@attrs.frozen
class Restored:
    """What was brought back.

    Attributes:
        backup: the backup.
        rows: rows of each table now.
        cut: rows of each table that came from behind the boundaries, and were left out.
        offsets: the offsets of the group from now on.
        files: file checkpoints that were put back.
        claims: keys of files that were claimed from the tables; None if the backup had the claims.
        note: what is not as it was, and what to do; empty if all is.
    """

    backup: Backup
    rows: Mapping[str, int]
    cut: Mapping[str, int]
    offsets: Mapping[Partition, Commit]
    files: int
    claims: int | None
    note: str


def restore(
    location: str, sink: str | None, settings: Settings, plugins: PluginManager, *, replace: bool = False
) -> Restored:
    """Bring a backup back into the database that ``sink`` names; None for the embedded one.

    It is restored beside what stands, and proven there, before anything is changed. Interrupted after that, it has to
    be run again and goes on: until then workers leave the group's partitions alone, and files are kept out of the
    database.

    Raises BackupError if it is damaged, or of another group or topic, or the target is not empty and not to be
    replaced; SavepointError while the group has members; SinkMisconfigured, SinkUnavailable, BrokerError,
    BrokerUnavailable, CheckpointError and DedupStoreError.
    """
    store, folder = store_of(location)
    located = store.check_files(folder)
    backup = located.backup
    require_own(backup, location, settings, plugins)
    admin = admin_client(settings) if backup.group else None
    deriving = of_derivation(settings)
    if admin is not None:
        require("lpa backup restore", admin, settings)
        require_stopped(admin, settings)
        require_stopped(admin, deriving)
    with scratch_folder(settings) as scratch, opened(sink, settings, make=True) as (client, name):
        store.fetch(folder, "dedup", scratch / "claims")
        store.fetch(folder, FILE_CLAIMS_FOLDER, scratch / "file-claims")
        store.fetch(folder, CHECKPOINTS_FOLDER, scratch / "checkpoints")
        fetched = scratch / "checkpoints" / CHECKPOINTS_FOLDER
        checkpoints.require_readable(fetched, located.location)
        _require_unused_claims(backup, settings)
        target = sink_name(sink, settings)
        checkpoints.require_unused(settings, target)
        try:
            note = "" if backup.group else _behind_the_group(client, name, target, settings)
            if not replace:
                _require_empty(client, name)
            going_on = restoration.is_barred(target, settings)
            exchange = Exchange(client, name, located, going_on=going_on)
            cut_rows = exchange.prove()
            try:
                require_understood(client, exchange.proven, located, plugins)
            except BackupError:
                exchange.give_up()
                raise
            offsets: dict[Partition, Commit] = {}
            if admin is not None:
                require_stopped(admin, deriving)
                offsets = put_back(admin, settings, backup.commits)
                bar(admin, settings, offsets, f"the restore of {backup.id} is not finished, run it again")
            # Before the first row is gone: a file that is finished would be taken for stored.
            restoration.bar(target, _run_again(located.location, sink), settings)
            exchange.put_in_place()
            files = checkpoints.put_back(fetched, backup.sink, target, settings)
            claimed = put_claims_back(client, name, backup, offsets, scratch, settings)
            if admin is not None:
                commit(admin, deriving, put_back(admin, deriving, backup.derived))
                commit(admin, settings, offsets)
            exchange.drop_replaced()
            restoration.unbar(target, settings)
            counted = {table.name: rows(client, table) for table in stored_tables(client, name)}
        except ClickHouseError as error:
            raise BackupError(f"{name}: {describe(error)}: {explain(error)}") from None
    _log.info("backup restored", location=location, database=name, rows=sum(counted.values()))
    return Restored(backup, counted, cut_rows, offsets, files, claimed, note)


def require_own(backup: Backup, location: str, settings: Settings, plugins: PluginManager) -> None:
    """Raise BackupError if the backup is of another group or topic; warn where settings differ."""
    quality = settings.quality
    if backup.group and backup.group != quality.group_id:
        raise BackupError(
            f"{location} is of the group {backup.group}, not {quality.group_id}: name another backup, or set "
            f"QUALITY_GROUP_ID={backup.group}"
        )
    strange = sorted({partition.topic for partition in backup.commits} - {*quality.topics})
    if strange:
        raise BackupError(
            f"{location} is of the topic {', '.join(strange)}, not {', '.join(quality.topics)}: name another backup, "
            "or set QUALITY_INPUT_TOPIC or QUALITY_INPUT_TOPICS"
        )
    if backup.settings_fingerprint != fingerprint(settings, plugins.plugins):
        _log.warning("the backup was made under other settings or plugins", location=location, made=backup.versions)


def put_claims_back(
    client: Client,
    name: str,
    backup: Backup,
    partitions: Iterable[Partition],
    scratch: Path,
    settings: Settings,
) -> int | None:
    """Have the claims that the backup has; a worker rebuilds those of other partitions, files' are rebuilt here."""
    for partition in partitions:
        copied = scratch / "claims" / backup.dedup[partition] if partition in backup.dedup else None
        readable = copied is not None and claims.are_readable(copied, settings)
        claims.put_back(copied if readable else None, claims.of_partition(settings, partition))
    copied = scratch / "file-claims" / FILE_CLAIMS_FOLDER
    there = claims.are_readable(copied, settings)
    claims.put_back(copied if there else None, claims.of_files(settings))
    of_files = set(positions(client, stored_tables(client, name))) - set(backup.commits)
    if there or not of_files:
        return None
    return claims.rebuild(client, name, of_files, settings)


def _run_again(location: str, sink: str | None) -> str:
    where = [] if sink is None else ["--sink", sink]
    command = shlex.join(["lpa", "backup", "restore", location, *where, "--replace"])
    return f"a restore was interrupted, or is still running: run `{command}` again"


def _behind_the_group(client: Client, name: str, target: str, settings: Settings) -> str:
    """What to do where a backup knows no offsets, but records of the topic came since.

    Raises SavepointError while the group has members.
    """
    files = checkpoints_towards(settings, target).values()
    try:
        stored = positions(client, stored_tables(client, name))
    except ClickHouseError:  # what is damaged is replaced all the same
        stored = {}
    if not from_kafka(stored, files, settings):
        return ""
    require_stopped(admin_client(settings), settings)
    return (
        f"nothing of {', '.join(settings.quality.topics)} was stored when the backup was made, and the group's "
        "offset is after what came since: `lpa recover offset-loss --execute` reads it again"
    )


def _require_unused_claims(backup: Backup, settings: Settings) -> None:
    for folder in (claims.of_files(settings), *(claims.of_partition(settings, each) for each in backup.commits)):
        claims.require_unused(folder, settings)


def _require_empty(client: Client, name: str) -> None:
    for table in stored_tables(client, name):
        with suppress(IndexError):
            client.query(f"SELECT 1 FROM {table.target} LIMIT 1").result_rows[0]
            raise BackupError(
                f"{name}.{table.name} is not empty: name another database, or say --replace to have it replaced"
            )
