"""A migration of the schema turned out to be wrong: views go back to what they were before it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import final

from lpa_ops.recover.scenario import Context, Findings, Step
from lpa_sinks.databases import opened
from lpa_sinks.schema.ddl import DEFAULT_DATABASE
from lpa_sinks.schema.migrate import roll_back
from lpa_sinks.schema.migrations import BUILTIN, Applied, Migration, applied_migrations, read_migrations


class BadMigration(Findings, frozen=True, kw_only=True):
    number: int
    name: str


@final
class SchemaRollback:
    """Takes the newest migration back.

    Args:
        migrations: the folder that holds it.
    """

    name = "schema-rollback"
    findings = BadMigration

    def __init__(self, migrations: Path = BUILTIN) -> None:
        self._migrations = migrations

    def assess(self, context: Context) -> BadMigration:
        with opened(context.sink, context.settings) as (client, database):
            in_force = [each for each in applied_migrations(client, database).values() if each.in_force]
        if not in_force:
            return BadMigration(damage=[], lost=[], seconds=0, number=0, name="")
        newest = max(in_force, key=lambda each: each.number)
        views = ", ".join(newest.previous_views) or "no view"
        return BadMigration(
            damage=[f"migration {newest} is the newest in force; it defined {views}"],
            lost=[] if self._files(newest) else ["nothing; but what it added stays: its files are not there"],
            seconds=1,
            number=newest.number,
            name=newest.name,
        )

    def look_again(
        self, found: BadMigration, begun: Collection[str], started_ms: int, context: Context
    ) -> BadMigration:
        return self.assess(context)  # the live state tells all there is to know

    def steps(self, found: BadMigration, context: Context) -> Sequence[Step]:
        return [
            Step(
                "roll back",
                f"define the views as they were before {found.number:04d}-{found.name}, then run its down.sql",
                lambda: self._roll_back(found, context),
            )
        ]

    def then(self, found: BadMigration) -> Sequence[str]:
        return ["mend the migration, and apply it again"]

    def _files(self, of: Applied, database: str = DEFAULT_DATABASE) -> Migration | None:
        """Those of the same number and name; another's would take back what was never added."""
        return next((each for each in read_migrations(self._migrations, database) if str(each) == str(of)), None)

    def _roll_back(self, found: BadMigration, context: Context) -> str:
        with opened(context.sink, context.settings) as (client, database):
            applied = applied_migrations(client, database)[found.number]
            views = roll_back(client, database, applied, self._files(applied, database))
        return f"views as before: {', '.join(views) or 'none'}"
