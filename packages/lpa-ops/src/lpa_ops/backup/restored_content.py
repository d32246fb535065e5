"""Whether a restored database holds what was backed up."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from clickhouse_connect.driver.client import Client

from lpa_core.counted import counted
from lpa_ops.backup.backup import Backup
from lpa_ops.positions.set_aside_tables import is_set_aside
from lpa_ops.positions.stored_tables import Content, content, stored_tables


def restored_content(
    client: Client, database: str, backup: Backup, only: Collection[str] | None = None
) -> dict[str, Content]:
    """What the backup's tables hold in the database, each of them read whole; ``only`` some of them.

    Raises the client's errors.
    """
    wanted = {*backup.tables, *backup.unsettled} if only is None else set(only)
    return {
        table.name: content(client, table, backup.boundaries)
        for table in stored_tables(client, database)
        if table.name in wanted
    }


def differences(backup: Backup, restored: Mapping[str, Content], only: Collection[str] | None = None) -> Sequence[str]:
    """What is not as it was backed up; ``only`` some tables. Nothing that changed meanwhile can be compared."""
    found = [f"{name}: the table is missing" for name in _of(backup.unsettled, only) if name not in restored]
    for name in _of(backup.tables, only):
        wanted = backup.tables[name]
        if is_set_aside(name):  # older backups have such tables
            continue
        if name not in restored:
            found.append(f"{name}: the table is missing")
        elif restored[name].rows != wanted.rows:
            found.append(f"{name}: {counted(restored[name].rows, 'row')} instead of {wanted.rows:,}")
        elif restored[name] != wanted:
            found.append(f"{name}: its {counted(wanted.rows, 'row is', 'rows are')} not those that were backed up")
    return found


def _of(tables: Collection[str], only: Collection[str] | None) -> Collection[str]:
    return [name for name in tables if only is None or name in only]
