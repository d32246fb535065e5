"""Freezes: hard links to the parts of all tables on the disk of their database, made with a backup."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Final

import structlog
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from lpa_core.settings.settings import Settings
from lpa_ops.backup.backup import Backup, BackupError, Freeze
from lpa_ops.positions.stored_tables import StoredTable
from lpa_sinks.clickhouse.database import endpoint_of, opened
from lpa_sinks.clickhouse.errors import describe, explain
from lpa_sinks.clickhouse.names import quoted
from lpa_sinks.clickhouse.sql_files import SqlFiles

_SQL: Final = SqlFiles(__package__)

_SHADOW: Final = "shadow"
"""Where ClickHouse keeps freezes, in its folder."""
_RIGHT: Final = "a user needs the grant ALTER FREEZE PARTITION for it"

_log = structlog.get_logger("lpa.backup")


@contextmanager
def frozen(client: Client, database: str, tables: Sequence[StoredTable], backup: str) -> Iterator[Freeze]:
    """Freeze the tables, one after the other, for the backup with this id.

    The freeze stays if the block ends well, and is removed if not. Raises BackupError if it cannot be made.
    """
    uuids = _uuids(client, database)
    freeze = Freeze(_name(backup), {table.name: uuids[table.name] for table in tables})
    try:
        try:
            for table in tables:
                client.command(f"ALTER TABLE {table.target} FREEZE WITH NAME '{freeze.name}'")
        except ClickHouseError as error:
            raise BackupError(f"{database}: not frozen: {describe(error)}: {explain(error)}: {_RIGHT}") from None
        yield freeze
    except BaseException:
        with suppress(ClickHouseError):  # what went wrong before counts
            _unfreeze_tables(client, database, freeze)
        raise


def unfreeze(backup: Backup, sink: str | None, settings: Settings) -> None:
    """Remove the freeze of a backup, if it has one, from the database that ``sink`` names.

    Raises BackupError, SinkMisconfigured, SinkUnavailable; the embedded engine may be in use.
    """
    if backup.freeze is None:
        return
    if endpoint_of(sink, settings).path is not None:
        _remove_folder(backup.freeze.name, sink, settings)
        return
    with opened(sink, settings) as (client, database):
        try:
            client.command(f"SYSTEM UNFREEZE WITH NAME '{backup.freeze.name}'")
        except ClickHouseError:  # a server has to be configured for it, and a user needs a grant on everything
            try:
                _unfreeze_tables(client, database, backup.freeze)
            except ClickHouseError as error:
                raise BackupError(
                    f"{backup.id}: its freeze in {database} cannot be removed: {describe(error)}: {explain(error)}: "
                    f"{_RIGHT}"
                ) from None


def remove_unfinished(backup: str, sink: str | None, settings: Settings) -> None:
    """Remove what an interrupted backup with this id has frozen in the embedded database. A server tells nothing."""
    if endpoint_of(sink, settings).path is not None:
        _remove_folder(_name(backup), sink, settings)


def _unfreeze_tables(client: Client, database: str, freeze: Freeze) -> None:
    """Raises the client's errors."""
    there = _uuids(client, database)
    replaced = [table for table, uuid in freeze.tables.items() if there.get(table) != uuid]
    for table in freeze.tables:
        if table not in replaced:
            client.command(f"ALTER TABLE {quoted(database)}.{quoted(table)} UNFREEZE WITH NAME '{freeze.name}'")
    if replaced:
        _log.warning(
            "tables were replaced since they were frozen: remove the rest on the server by hand",
            folder=f"{_SHADOW}/{freeze.name}",
            tables=replaced,
        )


def _remove_folder(name: str, sink: str | None, settings: Settings) -> None:
    path = endpoint_of(sink, settings).path
    assert path is not None
    try:
        shutil.rmtree(path / _SHADOW / name)
    except FileNotFoundError:
        return
    except OSError as error:
        raise BackupError(f"{error.filename}: {error.strerror}: make it a writable folder") from None


def _uuids(client: Client, database: str) -> dict[str, str]:
    found = client.query(_SQL.text("uuids.sql"), parameters={"database": database})
    return {str(name): str(uuid) for name, uuid in found.result_rows}


def _name(backup: str) -> str:
    """ClickHouse would escape a hyphen in the name of the folder."""
    return backup.replace("-", "_")
