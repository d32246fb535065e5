"""``lpa schema``: make the tables, check them, show them."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import attrs
import cyclopts

from lpa_core.commands.listing import ListColumn, print_list, print_paragraph
from lpa_core.commands.options import Json, SinkUri
from lpa_core.commands.output import Format, console, print_json, print_line
from lpa_core.counted import counted
from lpa_core.events.json_schema import json_schema as schema_of_events
from lpa_core.plugins.context import AppContext
from lpa_sinks import schema
from lpa_sinks.clickhouse.database import opened
from lpa_sinks.clickhouse.retries import AT_ONCE
from lpa_sinks.commands.schema_migrations import add_migration_commands, apply_migrations
from lpa_sinks.commands.written_tables import written_tables
from lpa_sinks.schema.migrations import BUILTIN


def schema_app(context: AppContext) -> cyclopts.App:
    settings = context.settings
    app = cyclopts.App(name="schema", help="Make, check or show the tables and views.")

    @app.command
    def apply(*, sink: SinkUri = None, migrations: Path = BUILTIN, json: Json = False) -> None:
        """Make the database, tables and views that are missing, then apply the migrations that are pending.

        Parameters
        ----------
        migrations
            Folder of the migrations. Default: those of this version.
        """
        with opened(sink, settings, make=True) as (client, database):
            made = AT_ONCE.run(
                f"{database}: make the schema", lambda: schema.apply(client, database, written_tables(context))
            )
            made += AT_ONCE.run(f"{database}: migrate", lambda: apply_migrations(client, database, migrations))
            left = AT_ONCE.run(
                f"{database}: check the schema", lambda: schema.check_live(client, database, written_tables(context))
            )
        if json:
            print_json(made)
        else:
            for name in made:
                print_line(f"{database}.{name}")
            print_line(f"{len(made)} made in {database}, the rest was there")
            for drift in left:
                print_paragraph(console(), f"not changed: {drift}: {drift.remedy}", indent="  ")

    @app.command
    def check(*, sink: SinkUri = None, json: Json = False) -> int:
        """Prove that event models, rows, DDL and live tables agree; exit with 1 if they do not."""
        tables = written_tables(context)
        with opened(sink, settings) as (client, database):
            drifts = AT_ONCE.run(f"{database}: check the schema", lambda: schema.check(client, database, tables))
        if json:
            print_json([attrs.asdict(drift) for drift in drifts])
        elif drifts:
            _print_drifts(drifts)
        else:
            print_line(f"{len(tables)} tables of {database} agree with their rows and their DDL")
        return 1 if drifts else 0

    @app.command
    def show(
        *, cluster: str | None = None, markdown: Format = False, json_schema: Format = False, json: Format = False
    ) -> None:
        """Print the DDL of all tables and views, as clickhouse-client takes it.

        Parameters
        ----------
        cluster
            Name of a cluster, for replicated tables on its shards and distributed ones over them.
        markdown
            Print the data dictionary instead: every table and view with what its rows and columns mean.
        json_schema
            Print the JSON Schema of well-formed events instead, those of plugins among them.
        json
            Print the statements as a list in JSON.
        """
        tables, database = written_tables(context), settings.clickhouse.database
        if markdown:
            sys.stdout.write(schema.markdown(tables))
        elif json_schema:
            print_json(schema_of_events(context.plugins.event_types()))
        elif json:
            print_json(schema.shown(tables, database, cluster))
        else:
            sys.stdout.write(schema.show(tables, database, cluster))

    add_migration_commands(app, context)
    return app


def _print_drifts(drifts: Sequence[schema.Drift]) -> None:
    columns = ("table", "where", "what", "name", ListColumn("expected", prose=True), ListColumn("found", prose=True))
    rows = [(drift.table, drift.place, drift.kind.value, drift.column, drift.expected, drift.found) for drift in drifts]
    print_list(console(), columns, rows, title=counted(len(drifts), "disagreement"))
    for drift in drifts:
        if drift.is_live:
            print_paragraph(console(), f"{drift}: {drift.remedy}", indent="  ")
