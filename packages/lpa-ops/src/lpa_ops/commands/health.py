"""``lpa health``: is all well, and if not, what to do."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Final

import cyclopts
import msgspec
from cyclopts import Parameter
from rich.console import Console
from rich.table import Table
from rich.text import Text

from lpa_core.commands.options import Json, SinkUri, Switch
from lpa_core.commands.output import print_json
from lpa_core.health.check import CheckResult, Scope
from lpa_core.health.report import HealthReport, worst_first
from lpa_core.health.run import CheckRunner
from lpa_core.plugins.context import AppContext
from lpa_core.settings.thresholds import State
from lpa_ops.health.window import since as beginning
from lpa_ops.positions.input_topic import reads_kafka

_STYLES: Final = {State.OK: "green", State.NOT_APPLICABLE: "dim", State.WARNING: "yellow", State.CRITICAL: "bold red"}
_WATCH_SECONDS: Final = 10.0


def _is_beginning(type_: object, text: str | None) -> None:
    if text is not None:
        beginning(text, _now())


def health_app(context: AppContext) -> cyclopts.App:
    settings = context.settings
    app = cyclopts.App(name="health")

    @app.default
    def health(
        *,
        sink: SinkUri = None,
        dedup: str | None = None,
        since: Annotated[str | None, Parameter(validator=_is_beginning)] = None,
        watch: Switch = False,
        json: Json = False,
    ) -> int:
        """Check everything that can go wrong; exit with 1 where anything critical has.

        Parameters
        ----------
        dedup
            Where claimed dedup keys are kept, as for `lpa ingest`. Default: RocksDB in the data folder.
        since
            Judge what happened from then on: 90m, 24h, 7d, or a UTC time. Default: HEALTH_WINDOW_HOURS.
        watch
            Look again and again until interrupted.
        """
        runner = CheckRunner(context.plugins.health_checks(), settings)
        reports = _reports(runner, context, sink, dedup, since)
        if watch:
            _watch(reports, json=json)
        report = next(reports)
        if json:
            print_json(report.as_json())
        else:
            _print(report, Console())
        status = 1 if report.state is State.CRITICAL else 0
        if runner.hanging:
            # A thread that is stuck in the engine would take the process down with it on its way out.
            sys.stdout.flush()
            os._exit(status)
        return status

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


def _watch(reports: Iterator[HealthReport], *, json: bool) -> None:
    """Show one report after the other, until interrupted."""
    pause = threading.Event()
    console = Console()
    for report in reports:
        if json:
            _print_line(report.as_json())
        else:
            console.clear()  # a file or a pipe gets one report below the other
            _print(report, console)
            sys.stdout.flush()
        pause.wait(_WATCH_SECONDS)


def _print_line(value: Any) -> None:
    sys.stdout.write(msgspec.json.encode(value).decode() + "\n")
    sys.stdout.flush()


def _print(report: HealthReport, console: Console) -> None:
    console.print(_table(report.results))
    troubled = [result for result in worst_first(report.results) if result.finding.action]
    for result in troubled:
        console.print(
            Text(f"{result.check.title}: {result.finding.action}. See {result.check.runbook}"), soft_wrap=True
        )
    console.print(Text(f"health: {report.state.value}", _STYLES[report.state]))


def _table(results: Sequence[CheckResult]) -> Table:
    table = Table("check", "state", "value", "warning", "critical", "found")
    for result in results:
        table.add_row(*_cells(result))
    return table


def _cells(result: CheckResult) -> Iterator[Text]:
    finding, thresholds = result.finding, result.finding.thresholds
    beyond = "" if thresholds is None else "below " if thresholds.falling else "above "
    yield Text(result.check.name)
    yield Text(finding.state.value, _STYLES[finding.state])
    yield Text("" if finding.value is None else f"{_figure(finding.value)} {result.check.unit}")
    yield Text("" if thresholds is None else f"{beyond}{_figure(thresholds.warning)}")
    yield Text("" if thresholds is None else f"{beyond}{_figure(thresholds.critical)}")
    yield Text(finding.detail)


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value == round(value) else f"{value:,.4g}"


def _now() -> int:
    return time.time_ns() // 1_000_000
