"""``lpa backup``: create, list, verify, restore, prune."""

from __future__ import annotations

import time
from typing import Annotated

import cyclopts
from cyclopts import Parameter

from lpa_core.commands.consent import confirmed
from lpa_core.commands.listing import print_paragraph
from lpa_core.commands.options import BackupLocation, Json, SinkUri, StoredAt, Switch, Yes
from lpa_core.commands.output import console, print_json, print_line
from lpa_core.plugins.context import AppContext
from lpa_core.settings.settings import Settings
from lpa_core.uris import masked
from lpa_ops.backup.backup import BackupError
from lpa_ops.backup.backups_of_database import backups_of, is_of
from lpa_ops.backup.create import create as create_backup
from lpa_ops.backup.prune import prune as prune_backups
from lpa_ops.backup.prune import to_prune
from lpa_ops.backup.restore import restore as restore_backup
from lpa_ops.backup.store import BackupStore, default_root
from lpa_ops.backup.verify import verify as verify_backup
from lpa_ops.commands.backup_report import (
    backup_as_json,
    listed_as_json,
    print_backup,
    print_backups,
    print_restored,
    proved_text,
    restored_as_json,
)
from lpa_sinks.clickhouse.database import endpoint_of, opened

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
    app = cyclopts.App(name="backup", help="Back up the database and the positions of its sources; restore it.")

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
            print_json({"location": where, **backup_as_json(backup)})
            return
        print_backup(backup, where)

    @app.command(name="list")
    def list_backups(
        *,
        sink: Annotated[
            SinkUri, Parameter(help="Only the backups of this database. Default: all that are there.")
        ] = None,
        location: BackupLocation = None,
        json: Json = False,
    ) -> None:
        """List the backups, oldest first."""
        store = _store(location, settings)
        found = store.list()
        if sink is not None:
            found = [each for each in found if each.backup is not None and is_of(each.backup, sink, settings)]
        if json:
            print_json([listed_as_json(each, settings) for each in found])
        elif not found:
            print_line(f"There is no backup in {store.root}{f' of {masked(sink)}' if sink else ''}.")
        else:
            print_backups(found, settings)

    @app.command
    def verify(location: StoredAt, /, *, sink: _Server = None, json: Json = False) -> int:
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
            for problem in result.problems:
                print_paragraph(console(), problem)
        else:
            print_paragraph(console(), f"{location} is good: {proved_text(result)}")
        return 1 if result.problems else 0

    @app.command
    def restore(
        location: StoredAt, /, *, sink: SinkUri = None, replace: Switch = False, yes: Yes = False, json: Json = False
    ) -> int:
        """Restore the database, claims, checkpoints and committed offsets. Stop all workers first.

        Parameters
        ----------
        location
            The backup, as `lpa backup list` shows it.
        replace
            Drop what is in the database now.
        """
        plan = (f"{location} takes the place of all that is in {endpoint_of(sink, settings).database} now.",)
        if replace and not confirmed(plan, "Restore?", yes=yes):
            return 1
        restored = restore_backup(location, sink, settings, context.plugins, replace=replace)
        if json:
            print_json(restored_as_json(restored))
        else:
            print_restored(restored)
        return 0

    @app.command
    def prune(*, sink: _Frozen = None, location: BackupLocation = None, yes: Yes = False, json: Json = False) -> int:
        """Remove the backups that are older than LPA_BACKUP_RETENTION says; never the newest full one."""
        store, now_ms = _store(location, settings), time.time_ns() // 1_000_000
        over = to_prune(store, settings, now_ms, sink)
        if over and not confirmed(over, f"Remove these {len(over)}?", yes=yes):
            return 1
        removed = prune_backups(store, settings, now_ms, sink)
        if json:
            print_json(removed)
        else:
            for line in (*removed, f"{len(removed)} removed"):
                print_line(line)
        return 0

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
