"""Proves a backup: every file is as it was written, and restored it has the rows that were backed up."""

from __future__ import annotations

import multiprocessing
import os
import threading
import uuid
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing.connection import wait
from pathlib import Path
from typing import final

import attrs
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from lpa_core.settings import Settings
from lpa_ops.backup import database
from lpa_ops.backup.backup import Backup, BackupError, Content
from lpa_ops.backup.set_aside import is_set_aside
from lpa_ops.backup.store import store_of
from lpa_ops.backup.tables import content, stored_tables
from lpa_ops.savepoint.scratch import scratch_folder
from lpa_sinks.clickhouse.client import Endpoint, connect
from lpa_sinks.clickhouse.errors import describe, explain
from lpa_sinks.databases import endpoint_of, opened
from lpa_sinks.schema.ddl import quoted


@final
@attrs.frozen
class Verification:
    """What came of it. ``problems`` is empty where the backup is good; ``backup`` None where it cannot be read."""

    backup: Backup | None
    restored: Mapping[str, Content]
    problems: Sequence[str]


def verify(location: str, sink: str | None, settings: Settings) -> Verification:
    """Check a backup's files, restore it into a scratch database, and compare what the tables hold.

    The scratch database is on the server that ``sink`` names, or in the embedded engine in a folder and a process of
    its own. Raises SinkMisconfigured, SinkUnavailable, SavepointError where there is no room for it.
    """
    try:
        store, id_ = store_of(location)
        backup = store.check_files(id_)
    except BackupError as damage:
        return Verification(None, {}, [str(damage)])
    place, base = store.location(id_), store.location(backup.base) if backup.base else ""
    try:
        if endpoint_of(sink, settings).path is not None:
            restored = _in_embedded_engine(place, base, backup, settings)
        else:
            with opened(sink, settings) as (client, _):
                restored = _restored(client, place, base, backup)
    except BackupError as error:
        return Verification(backup, {}, [f"it cannot be restored: {error}"])
    return Verification(backup, restored, list(_differences(backup, restored)))


def _in_embedded_engine(place: str, base: str, backup: Backup, settings: Settings) -> dict[str, Content]:
    # The engine has one folder in a process, and this process may need it for another.
    spawned = multiprocessing.get_context("spawn")
    with scratch_folder(settings) as scratch, ProcessPoolExecutor(1, mp_context=spawned) as process:
        return process.submit(_restored_in, scratch / "engine", place, base, backup).result()


def _restored_in(folder: Path, place: str, base: str, backup: Backup) -> dict[str, Content]:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    client = connect(Endpoint(backup.database, path=folder))
    try:
        return _restored(client, place, base, backup)
    finally:
        client.close()


def _end_with_parent() -> None:
    """A process of a pool waits for work for ever where its parent was killed, and writes into the folder till then."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    wait([parent.sentinel])
    os._exit(1)


def _restored(client: Client, place: str, base: str, backup: Backup) -> dict[str, Content]:
    scratch = f"{backup.database}_verify_{uuid.uuid4().hex[:8]}"
    try:
        database.bring_back(client, backup.database, place, base, scratch)
        tables = {table.name: table for table in stored_tables(client, scratch)}
        wanted = (*backup.tables, *backup.unsettled)
        return {name: content(client, tables[name], backup.boundaries) for name in wanted if name in tables}
    except ClickHouseError as error:
        raise BackupError(f"{place}: {describe(error)}: {explain(error)}") from None
    finally:
        client.command(f"DROP DATABASE IF EXISTS {quoted(scratch)} SYNC")


def _differences(backup: Backup, restored: Mapping[str, Content]) -> Sequence[str]:
    found = [f"{name}: the table is missing" for name in backup.unsettled if name not in restored]
    for name, wanted in backup.tables.items():
        if is_set_aside(name):  # older backups have such tables
            continue
        if name not in restored:
            found.append(f"{name}: the table is missing")
        elif restored[name].rows != wanted.rows:
            found.append(f"{name}: {restored[name].rows:,} rows instead of {wanted.rows:,}")
        elif restored[name] != wanted:
            found.append(f"{name}: its {wanted.rows:,} rows are not those that were backed up")
    return found
