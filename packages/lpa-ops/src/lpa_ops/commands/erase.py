"""``lpa erase``: take the events of one person out of tables and archives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Any, TypeVar

import cyclopts
import msgspec
from clickhouse_connect.driver.exceptions import ClickHouseError
from cyclopts import Parameter

from lpa_core.commands.consent import confirmed
from lpa_core.commands.listing import ListColumn, print_list, print_paragraph
from lpa_core.commands.options import BackupLocation, Json, SinkUri, Yes, addressed
from lpa_core.commands.output import console, print_json
from lpa_core.errors import UsageError
from lpa_core.pipeline.masking import Masking
from lpa_core.plugins.context import AppContext
from lpa_ops.backup.store import default_root
from lpa_ops.erase import receipts
from lpa_ops.erase.erasure import Erasure
from lpa_ops.erase.selector import Selector
from lpa_ops.recover.run import execute, plan
from lpa_ops.recover.scenario import Context, RecoveryError, RecoveryPlan, RecoveryStep
from lpa_sinks.clickhouse.database import endpoint_of
from lpa_sinks.clickhouse.errors import describe, explain

T = TypeVar("T")

_Path = Annotated[str | None, Parameter(help="Where the value is in an event, such as data.user_id or data.stream_id.")]
_Value = Annotated[str | None, Parameter(help="The value that the person's events have there.")]
_Again = Annotated[
    bool, Parameter(negative="", help="Instead: erase what earlier erasures did, which a restore brought back.")
]
_Archives = Annotated[
    tuple[str, ...],
    Parameter(
        name="--archive",
        validator=addressed("--archive"),
        help="An archive, or a mirror of one, as lpa ingest --archive names it; may be given several times.",
    ),
]
_Backups = Annotated[BackupLocation, Parameter(validator=addressed("--backups"))]


def erase_app(context: AppContext) -> cyclopts.App:
    settings = context.settings
    app = cyclopts.App(name="erase", help="Take the events of one person out of tables and archives.")

    def erasure(path: str | None, value: str | None, archives: Sequence[str], again: bool) -> Erasure:
        if again and (path is not None or value is not None):
            raise UsageError("--again erases what receipts name: leave out --path and --value")
        if again:
            return Erasure(None, archives)
        if path is None or value is None:
            raise UsageError(
                "it is not said whose events: give --path and --value", remedy="such as --path data.user_id --value u1"
            )
        masking = Masking(settings.quality.masked_paths, settings.quality.mask_key)
        return Erasure(Selector.of(path, value, masking), archives)

    def work(sink: str | None, backups: str | None) -> Context:
        endpoint_of(sink, settings)
        return Context(settings, context.plugins, sink, backups or default_root(settings), "lpa erase run")

    @app.command(name="plan")
    def plan_erasure(
        *,
        path: _Path = None,
        value: _Value = None,
        archive: _Archives = (),
        again: _Again = False,
        sink: SinkUri = None,
        backups: _Backups = None,
        json: Json = False,
    ) -> int:
        """Show what would be erased where, and what stays. Nothing is changed."""
        shown, steps = _planned(erasure(path, value, archive, again), work(sink, backups))
        if json:
            print_json(_as_json(shown, steps))
        else:
            _print(shown, steps)
        return 0

    @app.command(name="run")
    def run_erasure(
        *,
        path: _Path = None,
        value: _Value = None,
        archive: _Archives = (),
        again: _Again = False,
        sink: SinkUri = None,
        backups: _Backups = None,
        yes: Yes = False,
        json: Json = False,
    ) -> int:
        """Erase. Stop the workers first. Interrupted, run it again: it continues there."""
        scenario, on = erasure(path, value, archive, again), work(sink, backups)
        shown, steps = _planned(scenario, on)
        if not shown.damage:
            if json:
                print_json(_as_json(shown, steps))
            else:
                print_paragraph(console(), "There is nothing to erase.")
            return 0
        if not confirmed([*shown.damage, "This cannot be undone."], "Erase?", yes=yes):
            return 1

        def tell(step: RecoveryStep, outcome: str) -> None:
            if not json:
                print_paragraph(console(), f"done: {step.name}: {outcome}", indent="  ")

        _explained(lambda: execute(scenario, on, tell))
        if json:
            print_json(_as_json(shown, [(step, True) for step, _ in steps]))
        else:
            if shown.journal is not None:
                print_paragraph(console(), f"The erasure of {shown.since} is finished: run the command again.")
            for line in [*(f"stays: {each}" for each in shown.lost), *(f"now: {each}" for each in shown.then)]:
                print_paragraph(console(), line, indent="  ")
        return 0

    @app.command(name="list")
    def list_erasures(*, json: Json = False) -> None:
        """List what was erased: when, and how many rows and records."""
        found = receipts.read(settings.lpa.data.erasures)
        if json:
            print_json([msgspec.to_builtins(each) for each in found])
            return
        rows = [
            (each.at, each.path or "again", str(sum(each.rows.values())), str(sum(each.archived.values())))
            for each in found
        ]
        columns = ("erased", "path", ListColumn("rows", right=True), ListColumn("archived records", right=True))
        print_list(console(), columns, rows)

    return app


def _planned(scenario: Erasure, context: Context) -> tuple[RecoveryPlan, Sequence[tuple[RecoveryStep, bool]]]:
    return _explained(lambda: plan(scenario, context))


def _explained(action: Callable[[], T]) -> T:
    try:
        return action()
    except ClickHouseError as error:
        raise RecoveryError(f"erase: {describe(error)}: {explain(error)}") from None


def _print(shown: RecoveryPlan, steps: Sequence[tuple[RecoveryStep, bool]]) -> None:
    screen = console()
    if shown.journal is not None:
        print_paragraph(screen, f"started at {shown.since}, it continues; to abandon it, remove {shown.journal}")
    if not shown.damage:
        print_paragraph(screen, "There is nothing to erase.")
    for line in [*(f"goes: {each}" for each in shown.damage), *(f"stays: {each}" for each in shown.lost)]:
        print_paragraph(screen, line, indent="  ")
    if steps:
        rows = [(step.name, "done" if done else "", step.what) for step, done in steps]
        print_list(screen, ("step", "", ListColumn("what", prose=True)), rows)
        print_paragraph(screen, f"takes about {shown.seconds:,} s; `lpa erase run` does it, with the same options")


def _as_json(shown: RecoveryPlan, steps: Sequence[tuple[RecoveryStep, bool]]) -> dict[str, Any]:
    return {
        "goes": shown.damage,
        "stays": shown.lost,
        "seconds": shown.seconds,
        "steps": [{"name": step.name, "what": step.what, "done": done} for step, done in steps],
        "then": shown.then,
        "since": shown.since or None,
        "journal": str(shown.journal) if shown.journal is not None else None,
    }
