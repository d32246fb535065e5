"""``lpa schema plan`` and ``lpa schema rollback``, and what ``lpa schema apply`` does about migrations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import itemgetter
from pathlib import Path
from typing import Any, Final

import cyclopts
from clickhouse_connect.driver.client import Client

from lpa_core.commands.consent import confirmed
from lpa_core.commands.listing import ListColumn, print_list, print_paragraph
from lpa_core.commands.options import Json, SinkUri, Switch, Yes
from lpa_core.commands.output import console, print_json, print_line
from lpa_core.errors import UsageError
from lpa_core.plugins.context import AppContext
from lpa_sinks.clickhouse.database import opened
from lpa_sinks.clickhouse.retries import AT_ONCE
from lpa_sinks.commands.written_tables import written_tables
from lpa_sinks.schema.apply import planned
from lpa_sinks.schema.migrate import migrate, roll_back
from lpa_sinks.schema.migrations import (
    BUILTIN,
    Applied,
    Migration,
    applied_migrations,
    missing,
    pending,
    read_migrations,
)

WINDOW_HOURS: Final = 24
"""Over which a view's new definition is compared with the old one."""

_ELSEWHERE: Final = "in force, not in the folder"


def add_migration_commands(app: cyclopts.App, context: AppContext) -> None:
    settings = context.settings

    @app.command
    def plan(*, sink: SinkUri = None, migrations: Path = BUILTIN, json: Json = False) -> None:
        """Show what `lpa schema apply` would make, and which migrations a database has and lacks. Change nothing.

        Parameters
        ----------
        migrations
            Folder of the migrations. Default: those of this version.
        """
        with opened(sink, settings) as (client, database):
            found = read_migrations(migrations, database)
            applied = AT_ONCE.run(f"{database}: read migrations", lambda: applied_migrations(client, database))
            tables = written_tables(context)
            made = AT_ONCE.run(f"{database}: look for tables", lambda: planned(client, database, tables))
        rows, elsewhere = _rows(found, applied), missing(found, applied)
        if json:
            print_json(rows)
            return
        for line in made:
            print_line(f"{database}: {line}")
        if made:
            print_line("`lpa schema apply` makes it so.")
        if not rows:
            print_line(f"There are no migrations: {database} is at the baseline.")
            return
        columns = ("migration", "state", ListColumn("adds", right=True), ListColumn("views", prose=True))
        cells = [
            (row["migration"], row["state"], "" if row["adds"] is None else str(row["adds"]), ", ".join(row["views"]))
            for row in rows
        ]
        print_list(console(), columns, cells)
        if elsewhere:
            print_paragraph(console(), _not_held(database, elsewhere, migrations))

    @app.command
    def rollback(
        *,
        sink: SinkUri = None,
        migrations: Path = BUILTIN,
        views_only: Switch = False,
        yes: Yes = False,
        json: Json = False,
    ) -> int:
        """Take the newest migration back: views get their earlier definitions.

        Parameters
        ----------
        migrations
            Folder that holds the newest migration. Default: those of this version.
        views_only
            Roll back without the migration's files, if these are gone. What it added stays.
        """
        with opened(sink, settings) as (client, database):
            newest = AT_ONCE.run(f"{database}: read migrations", lambda: newest_in_force(client, database))
            views_before = ", ".join(sorted(newest.previous_views)) or "none"
            plan = (f"{newest} is taken back in {database}; views that change: {views_before}.",)
            if not confirmed(plan, "Roll back?", yes=yes):
                return 1
            name, views = AT_ONCE.run(
                f"{database}: roll back", lambda: roll_newest_back(client, database, None if views_only else migrations)
            )
        if json:
            print_json({"migration": name, "views": views})
        else:
            stays = "; what it added stays" if views_only else ""
            told = f"{name} is rolled back in {database}; views as before: {', '.join(views) or 'none'}{stays}"
            print_paragraph(console(), told)
        return 0


def apply_migrations(client: Client, database: str, folder: Path) -> list[str]:
    """Apply what is pending, and return the migrations' names. Raises MigrationError and the client's errors."""
    waiting = pending(read_migrations(folder, database), applied_migrations(client, database))
    for migration in waiting:
        migrate(client, database, migration, WINDOW_HOURS)
    return [str(migration) for migration in waiting]


def roll_newest_back(client: Client, database: str, folder: Path | None) -> tuple[str, list[str]]:
    """Take the newest migration back; answer its name and its views.

    Without a folder only its views are taken back. Raises UsageError if there is none, or the folder does not hold
    it, and the client's errors.
    """
    newest = newest_in_force(client, database)
    held = {} if folder is None else {str(each): each for each in read_migrations(folder, database)}
    if folder is not None and str(newest) not in held:
        raise UsageError(f"{_not_held(database, [newest], folder)}, or give --views-only where its files are gone")
    return str(newest), roll_back(client, database, newest, held.get(str(newest)))


def newest_in_force(client: Client, database: str) -> Applied:
    """The newest migration that can be rolled back. Raises UsageError if there is none, and the client's errors."""
    known = applied_migrations(client, database).values()
    in_force = [each for each in known if each.in_force and not each.is_baseline]
    if not in_force:
        raise UsageError(f"{database} has no migration to roll back: it is at the baseline")
    return in_force[-1]


def _rows(found: Sequence[Migration], applied: Mapping[str, Applied]) -> list[dict[str, Any]]:
    """A line for each migration that is in the folder or in force, in their order."""
    waiting = {str(migration) for migration in pending(found, applied)}
    rows: list[dict[str, Any]] = [
        {
            "migration": str(migration),
            "state": "pending" if str(migration) in waiting else "applied",
            "adds": len(migration.additions),
            "views": [view.name for view in migration.views],
        }
        for migration in found
    ]
    rows += [
        {"migration": str(known), "state": _ELSEWHERE, "adds": None, "views": sorted(known.previous_views)}
        for known in missing(found, applied)
    ]
    return sorted(rows, key=itemgetter("migration"))


def _not_held(database: str, elsewhere: Sequence[Applied], folder: Path) -> str:
    names = ", ".join(map(str, elsewhere))
    return f"{database} has {names} in force, which {folder} does not hold: name the folder that does with --migrations"
