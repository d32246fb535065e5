"""``lpa health``: is all well, and if not, what to do."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from typing import Annotated, Any, Final

import cyclopts
import msgspec
from cyclopts import Parameter

from lpa_core.commands.options import Json, SinkUri, Switch, addressed
from lpa_core.commands.output import console, print_json, write_json_text
from lpa_core.health.check import Scope
from lpa_core.health.check_runner import CheckRunner
from lpa_core.health.report import HealthReport
from lpa_core.plugins.context import AppContext
from lpa_core.settings.thresholds import State
from lpa_core.standard_streams import output_failure
from lpa_ops.commands.health_report import print_report
from lpa_ops.health.window import since as beginning
from lpa_ops.positions.input_topics import reads_kafka

_WATCH_SECONDS: Final = 10.0


def health_app(context: AppContext) -> cyclopts.App:
    settings = context.settings
    app = cyclopts.App(name="health")

    @app.default
    def health(
        *,
        sink: SinkUri = None,
        dedup: Annotated[str | None, Parameter(validator=addressed("--dedup"))] = None,
        since: str | None = None,
        watch: Switch = False,
        wide: Switch = False,
        json: Json = False,
    ) -> int:
        """Check everything that can go wrong; exit with 1 if anything critical did.

        Parameters
        ----------
        dedup
            Where claimed dedup keys are kept, as for `lpa ingest`. Default: RocksDB in the data folder.
        since
            Judge what happened from then on: 15m, 24h, 7d, or a time, UTC if it has no zone.
            Default: HEALTH_WINDOW_HOURS.
        watch
            Look again and again until interrupted.
        wide
            Show the results of checks that are ok, too.
        """
        if since is not None:
            beginning(since, _now())  # refused before anything is opened
        if sink is not None:
            context.plugins.require_sink(sink)
        runner = CheckRunner(context.plugins.health_checks(), settings)
        reports = _reports(runner, context, sink, dedup, since)
        if watch:
            _watch(reports, json=json, wide=wide)
            return 0
        report = next(reports)
        if json:
            print_json(report.as_json())
        else:
            print_report(report, console(), wide=wide)
        return 1 if report.state is State.CRITICAL else 0

    return app


def _reports(
    runner: CheckRunner, context: AppContext, sink: str | None, dedup: str | None, since: str | None
) -> Iterator[HealthReport]:
    settings = context.settings
    while True:
        now = _now()
        begin = beginning(since or f"{settings.health.window_hours}h", now)
        kafka, event_types = reads_kafka(settings, sink), context.plugins.event_types()
        yield HealthReport(runner.run(Scope(settings, now, begin, sink, dedup, kafka=kafka, event_types=event_types)))


def _watch(reports: Iterator[HealthReport], *, json: bool, wide: bool) -> None:
    """Show one report after the other, until interrupted or nobody reads them any more."""
    pause = threading.Event()
    screen = console()
    for report in reports:
        if json:
            _print_line(report.as_json())
        else:
            screen.clear()  # a file or a pipe gets one report below the other
            print_report(report, screen, wide=wide)
            sys.stdout.flush()
        if output_failure() is not None:
            return
        pause.wait(_WATCH_SECONDS)


def _print_line(value: Any) -> None:
    write_json_text(msgspec.json.encode(value).decode() + "\n")
    sys.stdout.flush()


def _now() -> int:
    return time.time_ns() // 1_000_000
