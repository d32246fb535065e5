"""``lpa schema plan`` and ``lpa schema rollback``, and what ``lpa schema apply`` does about migrations."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import cyclopts
from clickhouse_connect.driver.client import Client
from cyclopts import Parameter
from rich.console import Console
from rich.table import Table as Printed

from lpa_core.commands.output import print_json
from lpa_core.settings import Settings
from lpa_core.sinks import SinkMisconfigured
from lpa_sinks.clickhouse.retries import AT_ONCE
from lpa_sinks.databases import endpoint_of, opened
from lpa_sinks.schema.migrate import migrate, roll_back
from lpa_sinks.schema.migrations import BUILTIN, applied_migrations, pending, read_migrations

WINDOW_HOURS: Final = 24
"""Over which a view's new definition is compared with the old one."""

_Json = Annotated[bool, Parameter(negative="")]


def add_migration_commands(app: cyclopts.App, settings: Settings) -> None:
    @app.command
    def plan(*, sink: str | None = None, migrations: Path = BUILTIN, json: _Json = False) -> None:
        """Show which migrations a database has, and what applying the others would do; changes nothing.

        Parameters
        ----------
        sink
            The database, such as clickhouse://host:8123/database or chdb://./folder. Default: the embedded
            database in the data folder.
        migrations
            Folder of the migrations. Default: those of this version.
        json
            Print JSON instead of a table.
        """
        _require_there(sink, settings)
        with opened(sink, settings) as (client, database):
            found = read_migrations(migrations, database)
            applied = AT_ONCE.run(f"{database}: read migrations", lambda: applied_migrations(client, database))
        waiting = {migration.number for migration in pending(found, applied)}
        rows = [
            {
                "migration": str(migration),
                "state": "pending" if migration.number in waiting else "applied",
                "adds": len(migration.additions),
                "views": [view.name for view in migration.views],
            }
            for migration in found
        ]
        if json:
            print_json(rows)
        elif not rows:
            print(f"There are no migrations: {database} is at the baseline.")
        else:
            table = Printed("migration", "state", "adds", "views")
            for migration in found:
                state = "pending" if migration.number in waiting else "applied"
                views = ", ".join(view.name for view in migration.views)
                table.add_row(str(migration), state, str(len(migration.additions)), views)
            Console(soft_wrap=True).print(table)

    @app.command
    def rollback(*, sink: str | None = None, migrations: Path = BUILTIN, json: _Json = False) -> None:
        """Take the newest migration back: its views are as they were before it.

        Parameters
        ----------
        sink
            The database, such as clickhouse://host:8123/database or chdb://./folder. Default: the embedded
            database in the data folder.
        migrations
            Folder of the migrations; where it does not hold the newest one, what that one added stays.
        json
            Print JSON.
        """
        _require_there(sink, settings)
        with opened(sink, settings) as (client, database):
            name, views = AT_ONCE.run(f"{database}: roll back", lambda: roll_newest_back(client, database, migrations))
        if json:
            print_json({"migration": name, "views": views})
        else:
            print(f"{name} is rolled back in {database}; views as before: {', '.join(views) or 'none'}")


def apply_migrations(client: Client, database: str, folder: Path) -> list[str]:
    """Apply what is pending, and answer the migrations' names. Raises SinkMisconfigured and the client's errors."""
    waiting = pending(read_migrations(folder, database), applied_migrations(client, database))
    for migration in waiting:
        migrate(client, database, migration, WINDOW_HOURS)
    return [str(migration) for migration in waiting]


def roll_newest_back(client: Client, database: str, folder: Path) -> tuple[str, list[str]]:
    """Take the newest migration back; answer its name and its views. Raises SinkMisconfigured, the client's errors."""
    in_force = [each for each in applied_migrations(client, database).values() if each.in_force]
    if not in_force:
        raise SinkMisconfigured(f"{database} has no migration to roll back: it is at the baseline")
    newest = max(in_force, key=lambda each: each.number)
    known = {migration.number: migration for migration in read_migrations(folder, database)}
    views = roll_back(client, database, newest, known.get(newest.number))
    return f"{newest.number:04d}-{newest.name}", views


def _require_there(sink: str | None, settings: Settings) -> None:
    path = endpoint_of(sink, settings).path
    if path is not None and not path.exists():
        raise SinkMisconfigured(f"{path}: there is no embedded database yet: `lpa schema apply` makes one")
