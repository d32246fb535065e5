"""``lpa ingest``: the main job."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from lpa_core.commands.options import Json
from lpa_core.commands.output import print_json
from lpa_core.delivery.observer import Step
from lpa_core.delivery.ranges import Range
from lpa_core.delivery.report import Report
from lpa_core.delivery.source_worker import StepListener
from lpa_core.jobs.assembly import Job
from lpa_core.jobs.ingest import ingest as run_job
from lpa_core.plugins.manager import PluginManager
from lpa_core.settings.settings import Settings
from lpa_core.sources.source import Source


def ingest(settings: Settings, plugins: PluginManager) -> Callable[..., None]:
    def ingest_command(
        source: Annotated[str | None, Parameter(allow_leading_hyphen=True, validator=_is_no_option)] = None,
        /,
        *,
        sink: Annotated[Sequence[str], Parameter(negative="")] = (),
        dedup: str | None = None,
        archive: str | None = None,
        from_savepoint: str | None = None,
        facts: bool = True,
        json: Json = False,
    ) -> None:
        """Read events, store each once, keep bad ones with the reason.

        Parameters
        ----------
        source
            A file of newline-delimited JSON (plain, gzip, zstd), or - for standard input; run on the same file again,
            it reads on where it stopped. Or kafka://host:9092/topic. Default: Kafka by the QUALITY_* settings, until
            stopped.
        sink
            Where rows go, such as chdb://./folder or clickhouse://host:8123/database; may be given several times.
            Default: the embedded database in the data folder.
        dedup
            Where claimed dedup keys are kept: rocksdb://folder, redis://host:6379/0 or memory://.
            Default: RocksDB in the data folder.
        archive
            Folder or object store that keeps every record as received.
        from_savepoint
            Where a savepoint is: offsets and dedup keys are brought back to it first. For Kafka.
        facts
            Derive session facts beside the ingestion, where no `lpa materialize` does. Without, large files go in
            faster; `lpa materialize rebuild` derives later.
        """
        job = Job(source, sink, dedup, archive, from_savepoint, facts)
        console = Console(stderr=True)
        with Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f}%"),
            TextColumn("{task.fields[records]:,} records"),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal or json,
        ) as progress:
            report = run_job(job, settings, plugins, lambda opened: _watch(progress, opened))
        if json:
            print_json(report.as_json())
        else:
            _print_report(report, Console())

    return ingest_command


def _is_no_option(type_: object, source: str | None) -> None:
    """``-`` is standard input; whatever else begins with a hyphen is a misspelt option."""
    if source is not None and source.startswith("-") and source != "-":
        raise ValueError(f"there is no option {source}")


def _watch(progress: Progress, source: Source) -> StepListener:
    task = progress.add_task(source.topic, total=source.size, records=0)
    records = 0

    def listener(step: Step, range_: Range) -> None:
        nonlocal records
        if step is Step.FINISHED:
            records += range_.count
            progress.update(task, completed=source.bytes_read, records=records)

    return listener


def _left(report: Report) -> Iterator[str]:
    """What the run did not deliver, and why."""
    if report.waiting is None:
        if not report.read:
            yield "Nothing new: all of it was read before."
        return
    for partition, why in report.given_up.items():
        yield f"{partition} is left to a person: {why}"
    records = sum(report.waiting.values())
    if records:
        waiting = ", ".join(f"{count:,} in {partition}" for partition, count in report.waiting.items())
        yield f"{records:,} records wait: {waiting}. `lpa health` says what holds them up."
    elif not report.read and not report.given_up:
        yield "Nothing was read: no record waits in the partitions that this worker had."


def _print_report(report: Report, console: Console) -> None:
    summary = Table("records", "count", title=escape(report.source), title_justify="left")
    summary.columns[1].justify = "right"
    summary.add_row("read", f"{report.read:,}")
    summary.add_row("accepted", f"{report.accepted:,}")
    summary.add_row("dead-lettered", f"{sum(report.dead_lettered.values()):,}")
    for (failure_class, reason), count in report.dead_lettered.most_common():
        summary.add_row(f"  {failure_class} {reason}", f"{count:,}")
    summary.add_row("quarantined (duplicates)", f"{report.quarantined:,}")
    console.print(summary)
    if report.rows:
        rows = Table("table", "rows written")
        rows.columns[1].justify = "right"
        for table, count in sorted(report.rows.items()):
            rows.add_row(table, f"{count:,}")
        console.print(rows)
    if report.discarded:
        kinds = ", ".join(f"{count:,} {kind}" for kind, count in sorted(report.discarded.items()))
        console.print(f"Times in the data of events were not believed and left out: {kinds}")
    if report.unfit:
        console.print(f"{report.unfit:,} numbers were out of their column's range and left empty or 0")
    console.print(f"{report.seconds:.1f} s, {report.events_per_second:,.0f} events/s")
    for line in _left(report):
        console.print(line, markup=False)
