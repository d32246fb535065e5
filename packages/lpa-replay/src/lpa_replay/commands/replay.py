"""``lpa replay``: plan, run, verify, list, show, check."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Final

import cyclopts

from lpa_core.commands.consent import agreed, somebody_is_there
from lpa_core.commands.options import Json, SinkUri, Switch, Yes
from lpa_core.commands.output import console, print_json, print_line
from lpa_core.plugins.context import AppContext
from lpa_core.release import require_clock
from lpa_core.replays import ReplayRefused
from lpa_replay.audit import recorded_run, recorded_runs, results
from lpa_replay.commands import replay_report
from lpa_replay.commands.progress import Shown
from lpa_replay.commands.replay_check import add_check
from lpa_replay.database import opened
from lpa_replay.planning.plan import Plan, read_plan, write_plan
from lpa_replay.planning.request import Request, asked, new_plan
from lpa_replay.running.run import Replays
from lpa_replay.spool.run_folder import unfinished
from lpa_replay.spool.spool_file import write_durably
from lpa_replay.staging.canary import CanaryRequest
from lpa_replay.verified_run import verify_run

_NOTHING: Final = Request()


def replay_app(context: AppContext) -> cyclopts.App:
    settings = context.settings
    app = cyclopts.App(name="replay", help="Send dead letters or archived records through the pipeline again.")

    @app.command
    def plan(request: Request = _NOTHING, *, output: Path | None = None, json: Json = False) -> None:
        """Show what a replay would do, and write the plan for `run --plan`. Send nothing.

        Parameters
        ----------
        output
            Where the plan is written. Default: a new file in the working folder, named by the plan.
        """
        replays = _replays(context)
        made, forecast = replays.foresee(_new(request, replays))
        file = output or Path(f"replay-{made.id}.json")
        try:
            write_durably(file.absolute(), write_plan(made), private=True)
        except OSError as error:
            raise ReplayRefused(f"{file}: {error.strerror}: --output takes a file that can be written") from None
        figures = forecast.as_json()
        if json:
            samples = [replay_report.sample_json(before, after) for before, after in forecast.samples]
            seconds = replay_report.estimated_seconds(made, figures)
            hint = replay_report.missed_text(made.asked, figures)
            warning = replay_report.futile_text(figures)
            told = {"samples": samples, "estimated_seconds": seconds, "hint": hint, "warning": warning}
            print_json({"id": made.id, "plan": str(file), **figures, **told})
            return
        replay_report.print_plan(console(), made, figures, forecast.samples)
        print_line(f"lpa replay run --plan {file}")

    @app.command
    def run(
        request: Request = _NOTHING,
        *,
        plan: Path | None = None,
        canary: str | None = None,
        canary_only: Switch = False,
        yes: Yes = False,
        json: Json = False,
    ) -> int:
        """Replay by a plan or by options. Start a killed run again: it continues where it stopped.

        Parameters
        ----------
        plan
            A file that `lpa replay plan` wrote: the run does exactly that, and only once.
        canary
            Send this share of the records first, such as 1%, and the rest only if these come out as planned.
        canary_only
            Stop after the canary. The same command without this option sends the rest.
        """
        canary_request = CanaryRequest.of(canary, only=canary_only)
        replays = _replays(context)
        made, begun = _to_run(request, plan, replays)
        if not begun and not yes and somebody_is_there():
            made, forecast = replays.foresee(made)
            replay_report.print_plan(console(stderr=json), made, forecast.as_json(), forecast.samples)
            if not agreed("Send?", stderr=json):
                return 1
        with Shown(enabled=not json) as shown:
            figures = replays.run(made, shown.watch, shown.sent, canary_request)
        if json:
            print_json(figures)
        else:
            replay_report.print_run(console(), made.asked, figures)
        return 0

    @app.command
    def verify(replay_id: str, /, *, sink: SinkUri = None, json: Json = False) -> int:
        """Find out what became of every record of a replay, and that nothing is stored twice; exit with 1 if not.

        Parameters
        ----------
        replay_id
            As `lpa replay list` shows it.
        """
        with opened(sink, settings) as database:
            verified = verify_run(database, replay_id, settings, context.plugins, _now())
        if json:
            print_json(verified.as_json())
        else:
            replay_report.print_checks(console(), verified.run, verified.checks)
        return 0 if verified.passed else 1

    @app.command(name="list")
    def list_runs(*, sink: SinkUri = None, json: Json = False) -> None:
        """List the replays, the oldest first."""
        with opened(sink, settings) as database:
            found = recorded_runs(database)
        if json:
            print_json([replay_report.run_json(each) for each in found])
        elif found:
            replay_report.print_runs(console(), found)
        else:
            print_line("There was no replay yet.")

    @app.command
    def show(replay_id: str, /, *, sink: SinkUri = None, json: Json = False) -> None:
        """Show the audit of a replay, and its records by outcome.

        Parameters
        ----------
        replay_id
            As `lpa replay list` shows it.
        """
        with opened(sink, settings) as database:
            found = recorded_run(database, replay_id)
            became = results(database, replay_id)
        if json:
            kinds = [{"result": result, "why": why, "records": records} for result, why, records in became]
            print_json({**replay_report.run_json(found), "results": kinds})
        else:
            replay_report.print_record(console(), found, became)

    add_check(app, settings)
    return app


def _replays(context: AppContext) -> Replays:
    return Replays(context.settings, context.plugins)


def _new(request: Request, replays: Replays) -> Plan:
    what = asked(request, replays.settings)
    return new_plan(request, what, replays.settings, replays.plugins, replays.clock())


def _to_run(request: Request, file: Path | None, replays: Replays) -> tuple[Plan, bool]:
    """The plan to carry out, and whether that has been started before or was looked at."""
    if file is not None:
        if request != _NOTHING:
            raise ReplayRefused("--plan decides everything: give no other option with it")
        return read_plan(file), True
    new = _new(request, replays)
    begun = unfinished(replays.root, new.asked.fingerprint)
    if begun is not None:
        print(f"going on with replay {begun.id} of {begun.window}, which is not all sent", file=sys.stderr)
    return begun or new, begun is not None


def _now() -> int:
    return require_clock(time.time_ns() // 1_000_000)
