"""``lpa doctor``: would a job start, and if not, what to do. Changes nothing."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Annotated, Final

import attrs
from cyclopts import Parameter
from rich.console import Console

from lpa_core.commands.ingest import is_no_option
from lpa_core.commands.listing import ListColumn, print_block, print_list
from lpa_core.commands.options import Json
from lpa_core.commands.output import console, plain, print_json
from lpa_core.doctor.examination import Examination, StartResult, StartState
from lpa_core.doctor.start_check import PlannedStart, StartCheck
from lpa_core.errors import LpaError
from lpa_core.health.check import Finding
from lpa_core.jobs.assembly import Job
from lpa_core.jobs.kafka_job import settings_at
from lpa_core.plugins.manager import PluginManager
from lpa_core.settings.quality import QualitySettings
from lpa_core.settings.settings import Settings
from lpa_core.start_checks import start_checks
from lpa_core.uris import scheme

_STYLES: Final = {
    StartState.FAILED: "bold red",
    StartState.WARNING: "yellow",
    StartState.NOT_TRIED: "dim",
    StartState.NOT_APPLICABLE: "dim",
    StartState.OK: "green",
}


def doctor(settings: Settings, plugins: PluginManager) -> Callable[..., int]:
    def doctor_command(
        source: Annotated[str | None, Parameter(allow_leading_hyphen=True, validator=is_no_option)] = None,
        /,
        *,
        sink: Annotated[Sequence[str], Parameter(negative="")] = (),
        dedup: str | None = None,
        archive: str | None = None,
        json: Json = False,
    ) -> int:
        """Check everything that a start needs, and say what to do; exit with 1 if anything failed. Changes nothing.

        Parameters
        ----------
        source
            What `lpa ingest` would read: a file, - for standard input, or kafka://host:9092/topic.
            Default: Kafka by the QUALITY_* settings, if they name brokers or a sink is a server.
        sink
            Where rows would go, as for `lpa ingest`; may be given several times.
        dedup
            Where claimed dedup keys would be kept, as for `lpa ingest`.
        archive
            Folder or object store that would keep every record as received.
        """
        start, problem = _planned(Job(source, sink, dedup, archive), settings, plugins)
        checks = [*start_checks(plugins), *plugins.start_checks(start)]
        if problem is not None:
            checks = [_failed(check, problem) if check.name == "source" else check for check in checks]
        examination = Examination(checks, start)
        results = examination.run()
        failed = any(result.state is StartState.FAILED for result in results)
        if json:
            state = "failed" if failed else "ok"
            print_json({"state": state, "checks": [result.as_json() for result in results]})
        else:
            _print(results, console(), hint=_hint(start))
        status = 1 if failed else 0
        if examination.hanging:
            # A thread that is stuck in a library would keep the process from ending.
            sys.stdout.flush()
            os._exit(status)
        return status

    return doctor_command


def _planned(job: Job, settings: Settings, plugins: PluginManager) -> tuple[PlannedStart, LpaError | None]:
    """What would be started, and what is wrong with the source that was named."""
    problem = None
    from_kafka = job.source is None or scheme(job.source) == "kafka"
    if from_kafka:
        try:
            settings = settings_at(job.source, settings)
        except LpaError as error:
            problem = error
    sinks = job.sinks_or_default(settings)
    named = settings.quality.kafka_bootstrap != QualitySettings().kafka_bootstrap
    start = PlannedStart(
        settings,
        job.source,
        sinks,
        job.dedup_or_default(settings),
        job.archive,
        kafka=from_kafka and (job.source is not None or named or any(scheme(uri) != "chdb" for uri in sinks)),
        event_types=plugins.event_types(),
    )
    return start, problem


def _failed(check: StartCheck, error: LpaError) -> StartCheck:
    def judge(start: PlannedStart) -> Finding:
        raise error

    return attrs.evolve(check, judge=judge)


def _hint(start: PlannedStart) -> str:
    """How to have a source checked, if nothing names one: then Kafka's default address is checked, or no source."""
    named = start.source is not None or start.settings.quality.kafka_bootstrap != QualitySettings().kafka_bootstrap
    if named:
        return ""
    if start.kafka:
        return "; for a file: `lpa doctor FILE`"
    return "; no source was looked at: for a file `lpa doctor FILE`, for Kafka set QUALITY_KAFKA_BOOTSTRAP"


def _print(results: Sequence[StartResult], screen: Console, *, hint: str) -> None:
    """Print a block for what failed, and a row for each other check: the worst first. ``hint`` ends the last line."""
    for state in StartState:
        found = [result for result in results if result.state is state]
        if not found:
            continue
        screen.print(plain(f"{state.value}: {len(found)}", _STYLES[state]), soft_wrap=True)
        if state in (StartState.FAILED, StartState.WARNING):
            for result in found:
                fields = [("found", result.detail), ("to do", result.action)]
                print_block(screen, f"{_name(result.check)}: {result.check.title}", fields)
        else:
            rows = [(_names(alike), alike[0].detail) for alike in _alike(found)]
            print_list(screen, ("check", ListColumn("found" if state is StartState.OK else "why", prose=True)), rows)
        screen.print()
    failed = sum(result.state is StartState.FAILED for result in results)
    verdict = f"doctor: {failed} of {len(results)} checks failed" if failed else "doctor: a job can start"
    screen.print(plain(f"{verdict}{hint}", "bold red" if failed else "green"), soft_wrap=True)


def _alike(results: Sequence[StartResult]) -> Iterator[Sequence[StartResult]]:
    """Results in their order; those that found the same, such as checks that need the same one, are one entry."""
    by_detail: dict[str, list[StartResult]] = {}
    for result in results:
        by_detail.setdefault(result.detail, []).append(result)
    yield from by_detail.values()


def _names(results: Sequence[StartResult]) -> str:
    return ", ".join(_name(result.check) for result in results)


def _name(check: StartCheck) -> str:
    return f"{check.name} {check.subject}".rstrip()
