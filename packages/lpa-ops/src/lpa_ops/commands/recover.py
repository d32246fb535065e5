"""``lpa recover``: one command a scenario."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import cyclopts
from clickhouse_connect.driver.exceptions import ClickHouseError
from cyclopts import Parameter
from rich.console import Console

from lpa_core.commands.listing import ListColumn, print_list, print_paragraph
from lpa_core.commands.options import BackupLocation, Json, SinkUri, addressed
from lpa_core.commands.output import console, print_json
from lpa_core.plugins.context import AppContext
from lpa_ops.backup.store import default_root
from lpa_ops.recover.lost_claims import LostClaims
from lpa_ops.recover.run import execute, plan
from lpa_ops.recover.scenario import Context, RecoveryError, RecoveryPlan, RecoveryStep, Scenario
from lpa_ops.recover.scenarios import FROM_BACKUPS, FROM_TABLES, recovery_json
from lpa_ops.recover.schema_rollback import SchemaRollback
from lpa_ops.recover.validation import ValidationResult, validate
from lpa_sinks.clickhouse.database import endpoint_of, opened
from lpa_sinks.clickhouse.errors import describe, explain
from lpa_sinks.schema.migrations import BUILTIN

_Execute = Annotated[
    bool,
    Parameter(negative="", help="Carry the plan out. If it was interrupted, run it again: it continues there."),
]


def recover_app(context: AppContext) -> cyclopts.App:
    settings = context.settings
    app = cyclopts.App(name="recover", help="Recover from a disaster: show the plan; carry it out with --execute.")

    def work(sink: str | None, backups: str | None = None) -> Context:
        endpoint_of(sink, settings)  # says what is wrong with it
        return Context(settings, context.plugins, sink, backups or default_root(settings))

    def from_backups(scenario: Scenario[Any], purpose: str) -> None:
        @app.command(name=scenario.name, help=purpose)
        def recover(
            *,
            sink: SinkUri = None,
            backups: Annotated[BackupLocation, Parameter(validator=addressed("--backups"))] = None,
            execute: _Execute = False,
            json: Json = False,
        ) -> int:
            return _run(scenario, work(sink, backups), execute, json)

    def from_tables(scenario: Scenario[Any], purpose: str) -> None:
        @app.command(name=scenario.name, help=purpose)
        def recover(*, sink: SinkUri = None, execute: _Execute = False, json: Json = False) -> int:
            return _run(scenario, work(sink), execute, json)

    for new, purpose in FROM_BACKUPS.items():
        from_backups(new(), purpose)
    for new, purpose in FROM_TABLES.items():
        from_tables(new(), purpose)

    @app.command(name=LostClaims.name)
    def lost_claims(
        dedup: Annotated[
            str,
            Parameter(
                validator=addressed("--dedup"),
                help="The store, as lpa ingest --dedup names it, such as redis://host:6379/0.",
            ),
        ],
        *,
        sink: SinkUri = None,
        execute: _Execute = False,
        json: Json = False,
    ) -> int:
        """A shared dedup store has lost claims: claim again what the database holds."""
        return _run(LostClaims(dedup), work(sink), execute, json)

    @app.command(name=SchemaRollback.name)
    def schema_rollback(
        *,
        sink: SinkUri = None,
        migrations: Annotated[
            Path, Parameter(help="Folder of the migrations. Default: those of this version.")
        ] = BUILTIN,
        execute: _Execute = False,
        json: Json = False,
    ) -> int:
        """The newest migration was wrong: bring views back to what they were before it."""
        return _run(SchemaRollback(migrations), work(sink), execute, json)

    return app


def _run(scenario: Scenario[Any], context: Context, carry_out: bool, json: bool) -> int:
    screen = console()

    def tell(step: RecoveryStep, outcome: str) -> None:
        if not json:
            print_paragraph(screen, f"done: {step.name}: {outcome}", indent="  ")

    try:
        shown, steps = plan(scenario, context)
        if not json:
            _print_plan(screen, shown, steps, carry_out)
        if carry_out:
            execute(scenario, context, tell)
        if not carry_out or not shown.damage:
            if json:
                print_json(recovery_json(shown, steps, []))
            return 0
        with opened(context.sink, context.settings) as (client, database):
            checks = validate(client, database, context.sink, context.settings)
    except ClickHouseError as error:
        raise RecoveryError(f"{scenario.name}: {describe(error)}: {explain(error)}") from None
    if json:
        print_json(recovery_json(shown, [(step, True) for step, _ in steps], checks))
    else:
        _print_checks(screen, checks)
        for then in [*shown.then, "run `lpa check parity` once everything is read and derived"]:
            print_paragraph(screen, f"now: {then}", indent="  ")
    return 1 if any(check.good is False for check in checks) else 0


def _print_plan(
    screen: Console, shown: RecoveryPlan, steps: Sequence[tuple[RecoveryStep, bool]], carry_out: bool
) -> None:
    if shown.journal is not None:
        print_paragraph(screen, f"started at {shown.since}, it continues; to abandon it, remove {shown.journal}")
    if not shown.damage:
        for line in ("There is nothing to recover.", *shown.lost):
            print_paragraph(screen, line)
        return
    for line in (
        *(f"damaged: {each}" for each in shown.damage),
        *(f"lost: {each}" for each in shown.lost or ["nothing"]),
    ):
        print_paragraph(screen, line, indent="  ")
    rows = [(step.name, "done" if done else "", step.what) for step, done in steps]
    print_list(screen, ("step", "", ListColumn("what", prose=True)), rows)
    hint = "" if carry_out else "; nothing is done without --execute"
    print_paragraph(screen, f"takes about {shown.seconds:,} s{hint}")


def _print_checks(screen: Console, checks: Sequence[ValidationResult]) -> None:
    rows = [(check.name, {True: "good", False: "NOT SO", None: ""}[check.good], check.found) for check in checks]
    print_list(screen, ("validation", "", ListColumn("found", prose=True)), rows)
