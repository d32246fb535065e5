"""``lpa backup``: create, list, verify, restore, prune."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

import cyclopts
from cyclopts import Parameter
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from lpa_core.commands.options import BackupLocation, Json, SinkUri, Switch
from lpa_core.commands.output import print_json
from lpa_core.plugins.context import AppContext
from lpa_core.settings.settings import Settings
from lpa_ops.backup.backup import Backup, BackupError, StoredBackup
from lpa_ops.backup.create import create as create_backup
from lpa_ops.backup.own import backups_of
from lpa_ops.backup.prune import prune as prune_backups
from lpa_ops.backup.restore import Restored
from lpa_ops.backup.restore import restore as restore_backup
from lpa_ops.backup.retention import expires_ms, retention_days
from lpa_ops.backup.store import BackupStore, default_root
from lpa_ops.backup.verify import Verification
from lpa_ops.backup.verify import verify as verify_backup
from lpa_sinks.databases import opened

_Server = Annotated[
    SinkUri,
    Parameter(
        help="The server to restore it on, into a database of its own. Default: the embedded engine, in a folder "
        "of its own."
    ),
]

_Frozen = Annotated[
    SinkUri,
    Parameter(help="The database that has the freezes of these backups. Default: the embedded one in the data folder."),
]


def backup_app(context: AppContext) -> cyclopts.App:
    settings = context.settings
    app = cyclopts.App(name="backup", help="Back up the database and where its sources stand; bring it back.")

    @app.command
    def create(
        *,
        sink: SinkUri = None,
        location: BackupLocation = None,
        incremental: Switch = False,
        freeze: Switch = False,
        json: Json = False,
    ) -> None:
        """Back up the database, claims, checkpoints and committed offsets, also while rows are being written.

        Parameters
        ----------
        incremental
            Write only what the newest full backup there does not have.
        freeze
            Freeze all tables, too: ClickHouse keeps hard links to their parts on its own disk, until `lpa backup prune`
            removes the backup.
        """
        store = BackupStore(location or default_root(settings))
        with opened(sink, settings) as (client, database):
            base = _newest_full(store, database, sink, settings) if incremental else ""
            where, backup = create_backup(
                client, database, sink, settings, context.plugins, store, base=base, freeze=freeze
            )
        if json:
            print_json({"location": where, **_as_json(backup)})
            return
        console = Console(soft_wrap=True)
        console.print(_tables(backup))
        if backup.freeze is not None:
            console.print(f"frozen as shadow/{backup.freeze.name} in the folder of ClickHouse")
        if backup.note:
            console.print(escape(backup.note))
        print(where)

    @app.command(name="list")
    def list_backups(*, location: BackupLocation = None, json: Json = False) -> None:
        """List the backups, oldest first."""
        store = _store(location, settings)
        found = store.list()
        if json:
            print_json([_listed_as_json(each, settings) for each in found])
        elif not found:
            print(f"There is no backup in {store.root}.")
        else:
            Console(soft_wrap=True).print(_listed(found, settings))

    @app.command
    def verify(location: str, /, *, sink: _Server = None, json: Json = False) -> int:
        """Prove a backup: check every file, restore it into a scratch database, compare rows; exit with 1 if not good.

        Parameters
        ----------
        location
            The backup, as `lpa backup list` shows it.
        """
        result = verify_backup(location, sink, settings)
        if json:
            print_json({"location": location, "good": not result.problems, "problems": result.problems})
        elif result.problems:
            Console(soft_wrap=True).print(*map(escape, result.problems), sep="\n")
        else:
            print(f"{location} is good: {_proved(result)}")
        return 1 if result.problems else 0

    @app.command
    def restore(location: str, /, *, sink: SinkUri = None, replace: Switch = False, json: Json = False) -> None:
        """Bring back the database, claims, checkpoints and committed offsets, workers being stopped.

        Parameters
        ----------
        location
            The backup, as `lpa backup list` shows it.
        replace
            Drop what is in the database now.
        """
        restored = restore_backup(location, sink, settings, context.plugins, replace=replace)
        if json:
            print_json(_restored_as_json(restored))
        else:
            _print_restored(restored)

    @app.command
    def prune(*, sink: _Frozen = None, location: BackupLocation = None, json: Json = False) -> None:
        """Remove the backups that are older than LPA_BACKUP_RETENTION says; never the newest full one."""
        removed = prune_backups(_store(location, settings), settings, time.time_ns() // 1_000_000, sink)
        if json:
            print_json(removed)
        else:
            print("\n".join((*removed, f"{len(removed)} removed")))

    return app


def _store(location: str | None, settings: Settings) -> BackupStore:
    """Where backups are: a place that was named has to be there, the default one need not yet."""
    store = BackupStore(location or default_root(settings))
    if location:
        store.require_root()
    return store


def _newest_full(store: BackupStore, database: str, sink: str | None, settings: Settings) -> str:
    full = [each.id for each in backups_of(store, sink, settings) if not each.base]
    if not full:
        raise BackupError(f"{store.root} has no full backup of {database}: make one first, without --incremental")
    try:
        store.require_files(full[-1])
    except BackupError as error:
        raise BackupError(f"{error}: make a full one, without --incremental") from None
    return full[-1]


def _tables(backup: Backup) -> Table:
    table = Table("table", Column("rows", justify="right"))
    for name, content in backup.tables.items():
        table.add_row(escape(name), f"{content.rows:,}")
    for name in backup.unsettled:
        table.add_row(escape(name), "changing")
    return table


def _proved(result: Verification) -> str:
    assert result.backup is not None
    settled = [content for name, content in result.restored.items() if name in result.backup.tables]
    what = f"{len(settled)} tables with {sum(each.rows for each in settled):,} rows are as they were"
    unsettled = ", ".join(result.backup.unsettled)
    return f"{what}; {unsettled} changed while it was made, and can be read" if unsettled else what


def _listed(found: Sequence[StoredBackup], settings: Settings) -> Table:
    days = retention_days(settings)
    columns = ("created", "environment", "kind", "database", "group", "MB", "expires", "problem")
    table = Table(Column("location", overflow="fold"), *columns)
    for each in found:
        if each.backup is None:
            table.add_row(escape(each.location), *[""] * (len(columns) - 1), escape(each.problem))
            continue
        backup, end = each.backup, expires_ms(each.backup, days)
        table.add_row(
            escape(each.location),
            _time(backup.created_ms),
            backup.environment,
            (f"adds to {backup.base}" if backup.base else "full") + (", frozen" if backup.freeze else ""),
            escape(backup.database),
            escape(backup.group),
            f"{each.bytes / 1e6:,.1f}",
            "never" if end is None else _time(end),
            escape(each.problem),
        )
    return table


def _listed_as_json(each: StoredBackup, settings: Settings) -> dict[str, Any]:
    if each.backup is None:
        return {"location": each.location, "bytes": each.bytes, "problem": each.problem}
    end = expires_ms(each.backup, retention_days(settings))
    expires = None if end is None else _time(end)
    told = {"location": each.location, "bytes": each.bytes, "expires": expires, "problem": each.problem}
    return {**told, **_as_json(each.backup)}


def _as_json(backup: Backup) -> dict[str, Any]:
    return {
        "id": backup.id,
        "created": _time(backup.created_ms),
        "environment": backup.environment,
        "base": backup.base,
        "database": backup.database,
        "group": backup.group,
        "boundaries": [
            {"topic": partition.topic, "partition": partition.number, "offset": offset}
            for partition, offset in sorted(backup.boundaries.items())
        ],
        "tables": {name: content.rows for name, content in backup.tables.items()},
        "unsettled": list(backup.unsettled),
        "freeze": backup.freeze.name if backup.freeze else "",
        "note": backup.note,
        "settings_fingerprint": backup.settings_fingerprint,
        "versions": dict(backup.versions),
    }


def _restored_as_json(restored: Restored) -> dict[str, Any]:
    return {
        "backup": restored.backup.id,
        "rows": dict(restored.rows),
        "cut": dict(restored.cut),
        "offsets": [
            {"topic": partition.topic, "partition": partition.number, "offset": commit.offset}
            for partition, commit in sorted(restored.offsets.items())
        ],
        "files": restored.files,
        "claims_rebuilt": restored.claims,
        "note": restored.note,
    }


def _print_restored(restored: Restored) -> None:
    table = Table("table", Column("rows", justify="right"), Column("read again", justify="right"))
    for name, rows in restored.rows.items():
        table.add_row(escape(name), f"{rows:,}", f"{restored.cut.get(name, 0):,}")
    Console(soft_wrap=True).print(table)
    for partition, commit in sorted(restored.offsets.items()):
        print(f"{partition} goes on at {commit.offset}")
    if restored.files:
        print(f"{restored.files} files go on where they stood")
    if restored.note:
        print(f"now: {restored.note}")


def _time(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
