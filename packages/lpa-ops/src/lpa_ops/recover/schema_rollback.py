"""A migration of the schema turned out to be wrong: views go back to what they were before it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import final

from lpa_ops.recover.scenario import Context, Findings, RecoveryStep
from lpa_sinks.clickhouse.database import opened
from lpa_sinks.schema.ddl import DEFAULT_DATABASE
from lpa_sinks.schema.migrate import roll_back
from lpa_sinks.schema.migrations import BUILTIN, Applied, Migration, applied_migrations, read_migrations


class BadMigration(Findings, frozen=True, kw_only=True):
    number: int
    name: str
    files: bool = True
    """Whether the folder holds the migration."""


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
            known = [each for each in applied_migrations(client, database).values() if not each.is_baseline]
        if not known:
            return BadMigration(damage=[], lost=[], seconds=0, number=0, name="")
        newest = known[-1]
        if not newest.in_force:  # a command given twice has to do no more than one given once
            earlier = f"{newest} is rolled back already; `lpa schema rollback` takes the one before it back"
            return BadMigration(damage=[], lost=[earlier], seconds=0, number=newest.number, name=newest.name)
        views = ", ".join(newest.previous_views) or "no view"
        return BadMigration(
            damage=[f"migration {newest} is the newest in force; it defined {views}"],
            lost=[],
            seconds=1,
            number=newest.number,
            name=newest.name,
            files=self._files(newest) is not None,
        )

    def look_again(
        self, found: BadMigration, begun: Collection[str], started_ms: int, context: Context
    ) -> BadMigration:
        return self.assess(context)  # the live state tells all there is to know

    def steps(self, found: BadMigration, context: Context) -> Sequence[RecoveryStep]:
        then = "run its down.sql" if found.files else f"leave what it added: {self._migrations} does not hold it"
        what = f"define the views as they were before {found.number:04d}-{found.name}, then {then}"
        return [RecoveryStep("roll back", what, lambda: self._roll_back(found, context))]

    def then(self, found: BadMigration) -> Sequence[str]:
        return ["correct the migration, and apply it again"]

    def _files(self, of: Applied, database: str = DEFAULT_DATABASE) -> Migration | None:
        """Those of the same number and name; another's would take back what was never added."""
        return next((each for each in read_migrations(self._migrations, database) if str(each) == str(of)), None)

    def _roll_back(self, found: BadMigration, context: Context) -> str:
        with opened(context.sink, context.settings) as (client, database):
            applied = applied_migrations(client, database)[f"{found.number:04d}-{found.name}"]
            views = roll_back(client, database, applied, self._files(applied, database))
        return f"views as before: {', '.join(views) or 'none'}"
