"""Puts a database that was restored from a backup in the place of the one that stands.

It is made beside that one, and proven there. Names of databases tell how far that has come, so that a restore that was
killed goes on: ``<name>__restoring`` is not proven, ``<name>__restored_<backup>`` is, and ``<name>__replaced_<backup>``
is what stood before, from the moment on when it is exchanged.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from typing import Final, final

from clickhouse_connect.driver.client import Client

from lpa_ops.backup import database
from lpa_ops.backup.backup import BackupError
from lpa_ops.backup.restored_content import differences, restored_content
from lpa_ops.backup.store import Located
from lpa_ops.positions.stored_tables import cut, stored_tables, table_names
from lpa_sinks.clickhouse.names import quoted
from lpa_sinks.clickhouse.sql_files import SqlFiles

_SQL: Final = SqlFiles(__package__)

_RESTORED: Final = "__restored_"
_REPLACED: Final = "__replaced_"


def beside(name: str) -> str:
    """The database in which what replaces something of the database ``name`` is made."""
    return f"{name}__restoring"


@final
class Exchange:
    """Replaces the database ``name`` by a backup's, up to its boundaries.

    Every method may raise BackupError and the client's errors.
    """

    def __init__(self, client: Client, name: str, located: Located, *, going_on: bool) -> None:
        """``going_on``: an attempt before this one began it. Otherwise what one has left behind is not looked at."""
        self._client, self._name, self._located, self._going_on = client, name, located, going_on
        backup = hashlib.sha256(located.backup.id.encode()).hexdigest()[:8]
        self._restored, self._replaced = f"{name}{_RESTORED}{backup}", f"{name}{_REPLACED}{backup}"

    @property
    def proven(self) -> str:
        """The database that holds what was proven: it is in its place already where an attempt before came so far."""
        return self._name if self._is_exchanged else self._restored

    def prove(self) -> dict[str, int]:
        """Restore it beside the one that stands, which nothing happens to; return the rows that were cut off."""
        if self._is_exchanged or self._restored in self._there(_RESTORED):
            return {}
        client, backup, restoring = self._client, self._located.backup, beside(self._name)
        for left in (restoring, *self._there(_RESTORED)):
            drop(client, left)
        require_room(client, self._located, self._located.backup.tables)
        try:
            database.bring_back(client, backup.database, self._located.location, self._located.base, restoring)
            require_proven(client, restoring, self._located)
            database.resume_merges(client, restoring)  # deleting waits for them
            found = {table.name: cut(client, table, backup.boundaries) for table in stored_tables(client, restoring)}
            client.command(f"RENAME DATABASE {quoted(restoring)} TO {quoted(self._restored)}")
        except BaseException:
            drop(client, restoring)
            raise
        return {table: rows for table, rows in found.items() if rows}

    def put_in_place(self) -> None:
        """Take away what stands, which is kept under another name, and put what is proven in its place."""
        client, backup = self._client, self._located.backup
        if self._is_exchanged:
            return
        if not self._going_on:
            self.drop_replaced()
        if self._replaced not in self._there(_REPLACED):
            if self._name in self._there(""):
                client.command(f"RENAME DATABASE {quoted(self._name)} TO {quoted(self._replaced)}")
            else:
                client.command(f"CREATE DATABASE {quoted(self._replaced)}")
        # Views name the database that they read from, and are made for this one.
        database.bring_structure_back(client, backup.database, self._located.location, self._located.base, self._name)
        for table in table_names(client, self._restored):
            move(client, self._restored, self._name, table)
        drop(client, self._restored)

    def give_up(self) -> None:
        """What was made beside is not wanted after all."""
        if not self._is_exchanged:
            drop(self._client, self._restored)

    def drop_replaced(self) -> None:
        """What stood before is needed no more; nor is what attempts with other backups took away."""
        for left in self._there(_REPLACED):
            drop(self._client, left)

    @property
    def _is_exchanged(self) -> bool:
        if not self._going_on or self._restored in self._there(_RESTORED):
            return False
        return self._replaced in self._there(_REPLACED)

    def _there(self, suffix: str) -> list[str]:
        prefix = f"{self._name}{suffix}"
        return [name for (name,) in self._client.query(_SQL.text("databases.sql"), {"prefix": prefix}).result_rows]


def require_room(client: Client, located: Located, tables: Collection[str]) -> None:
    """Raise BackupError if the disks have no room for these tables beside what stands; and the client's errors."""
    needed, free = located.bytes_of(tables), free_bytes(client)
    if needed > free:
        raise BackupError(
            f"{located.location} takes up to {needed / 1e9:,.1f} GB next to the existing tables until it is proven, "
            f"and the disks of ClickHouse have {free / 1e9:,.1f} GB free: make room there, or name another server or "
            "folder with --sink"
        )


def free_bytes(client: Client) -> int:
    """What is free on all disks of ClickHouse together. Raises the client's errors."""
    return int(client.query(_SQL.text("free_bytes.sql")).result_rows[0][0])


def require_proven(client: Client, name: str, located: Located, only: Collection[str] | None = None) -> None:
    """Raise BackupError if the restored tables do not hold what was backed up. Raises the client's errors."""
    problems = differences(located.backup, restored_content(client, name, located.backup), only)
    if problems:
        raise BackupError(
            f"{located.location} does not give what was backed up, and nothing was changed "
            f"({'; '.join(problems[:3])}): use another backup"
        )


def move(client: Client, source: str, target: str, table: str) -> None:
    """Move a table into another database, in the place of what has its name there. Raises the client's errors."""
    place = f"{quoted(target)}.`{table}`"
    client.command(f"DROP TABLE IF EXISTS {place} SYNC")
    client.command(f"RENAME TABLE {quoted(source)}.`{table}` TO {place}")


def drop(client: Client, name: str) -> None:
    """Raises the client's errors."""
    client.command(f"DROP DATABASE IF EXISTS {quoted(name)} SYNC")
