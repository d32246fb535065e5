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

from lpa_core import interrupts
from lpa_core.settings.settings import Settings
from lpa_ops.backup import database
from lpa_ops.backup.backup import Backup, BackupError
from lpa_ops.backup.restored_content import differences, restored_content
from lpa_ops.backup.store import Located, store_of
from lpa_ops.bundle.scratch import scratch_folder
from lpa_ops.positions.stored_tables import Content
from lpa_sinks.clickhouse.client import Endpoint, connect
from lpa_sinks.clickhouse.database import endpoint_of, opened
from lpa_sinks.clickhouse.errors import describe, explain
from lpa_sinks.clickhouse.names import quoted


@final
@attrs.frozen
class Verification:
    """What came of it. ``problems`` is empty if the backup is good; ``backup`` None if it cannot be read."""

    backup: Backup | None
    restored: Mapping[str, Content]
    problems: Sequence[str]


def verify(location: str, sink: str | None, settings: Settings) -> Verification:
    """Check a backup's files, restore it into a scratch database, and compare what the tables hold.

    The scratch database is on the server that ``sink`` names, or in the embedded engine in a folder and a process of
    its own. Raises SinkMisconfigured, SinkUnavailable, SavepointError if there is no room for it.
    """
    try:
        store, name = store_of(location)
        located = store.check_files(name)
    except BackupError as damage:
        return Verification(None, {}, [str(damage)])
    try:
        if endpoint_of(sink, settings).path is not None:
            restored = _in_embedded_engine(located, settings)
        else:
            with opened(sink, settings) as (client, _):
                restored = _restored(client, located)
    except BackupError as error:
        return Verification(located.backup, {}, [f"it cannot be restored: {error}"])
    return Verification(located.backup, restored, list(differences(located.backup, restored)))


def _in_embedded_engine(located: Located, settings: Settings) -> dict[str, Content]:
    # The engine has one folder in a process, and this process may need it for another.
    spawned = multiprocessing.get_context("spawn")
    with (
        scratch_folder(settings) as scratch,
        ProcessPoolExecutor(1, mp_context=spawned, initializer=_follow_parent) as process,
    ):
        with interrupts.kept_from_children():
            restored = process.submit(_restored_in, scratch / "engine", located)
        return restored.result()


def _restored_in(folder: Path, located: Located) -> dict[str, Content]:
    client = connect(Endpoint(located.backup.database, path=folder))
    try:
        return _restored(client, located)
    finally:
        client.close()


def _follow_parent() -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """A process of a pool waits for work for ever where its parent was killed, and writes into the folder till then."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    wait([parent.sentinel])
    os._exit(1)


def _restored(client: Client, located: Located) -> dict[str, Content]:
    backup = located.backup
    scratch = f"{backup.database}_verify_{uuid.uuid4().hex[:8]}"
    try:
        database.bring_back(client, backup.database, located.location, located.base, scratch)
        return restored_content(client, scratch, backup)
    except ClickHouseError as error:
        raise BackupError(f"{located.location}: {describe(error)}: {explain(error)}") from None
    finally:
        client.command(f"DROP DATABASE IF EXISTS {quoted(scratch)} SYNC")
