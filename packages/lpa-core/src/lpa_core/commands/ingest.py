"""``lpa ingest``: the main job."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Annotated

from cyclopts import Parameter
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from lpa_core.commands.listing import ListColumn, print_list, print_paragraph
from lpa_core.commands.options import Json, addressed
from lpa_core.commands.output import console, print_json, print_line
from lpa_core.counted import counted
from lpa_core.delivery.observer import Step
from lpa_core.delivery.ranges import Range
from lpa_core.delivery.run_report import Report
from lpa_core.delivery.source_worker import StepListener
from lpa_core.interrupts import STOPPED
from lpa_core.jobs.assembly import Job
from lpa_core.jobs.ingest import ingest as run_job
from lpa_core.plugins.manager import PluginManager
from lpa_core.printable import printable
from lpa_core.settings.settings import Settings
from lpa_core.sources.source import Source


def ingest(settings: Settings, plugins: PluginManager) -> Callable[..., int]:
    def ingest_command(
        source: Annotated[
            str | None, Parameter(allow_leading_hyphen=True, validator=[is_no_option, addressed("SOURCE")])
        ] = None,
        /,
        *,
        sink: Annotated[Sequence[str], Parameter(negative="", validator=addressed("--sink"))] = (),
        dedup: Annotated[str | None, Parameter(validator=addressed("--dedup"))] = None,
        archive: Annotated[str | None, Parameter(validator=addressed("--archive"))] = None,
        from_savepoint: Annotated[str | None, Parameter(validator=addressed("--from-savepoint"))] = None,
        facts: bool = True,
        complete: Annotated[bool, Parameter(negative="")] = False,
        json: Json = False,
    ) -> int:
        """Read events, store each once, keep bad ones with the reason.

        Parameters
        ----------
        source
            A file of newline-delimited JSON (plain, gzip, zstd), or - for standard input; a second run on the same
            file continues where the first stopped. Or kafka://host:9092/topic. Default: Kafka by the QUALITY_*
            settings, until stopped.
        sink
            Where rows go, such as chdb://./folder or clickhouse://host:8123/database; may be given several times.
            Default: the embedded database in the data folder.
        dedup
            Where claimed dedup keys are kept: rocksdb://folder, redis://host:6379/0 or memory://.
            Default: RocksDB in the data folder.
        archive
            Folder or object store that keeps every record as received.
        from_savepoint
            A savepoint: its offsets and dedup keys are restored first. For Kafka.
        facts
            Derive session facts during ingestion, if no `lpa materialize` does. Without, large files go in
            faster; `lpa materialize rebuild` derives later.
        complete
            The file is complete: its last line is a record though it has no line end. Without, such a line waits: it
            is taken once it has its end.
        """
        job = Job(source, sink, dedup, archive, from_savepoint, facts, complete)
        progress_shown = console(stderr=True)
        with Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f}%"),
            TextColumn("{task.fields[records]:,} records"),
            TimeRemainingColumn(),
            console=progress_shown,
            transient=True,
            disable=not progress_shown.is_terminal or json,
        ) as progress:
            report = run_job(job, settings, plugins, lambda opened: _watch(progress, opened))
        if json:
            print_json(report.as_json())
        else:
            _print_report(report)
        return STOPPED if report.stopped else 0

    return ingest_command


def is_no_option(type_: object, source: str | None) -> None:
    """``-`` is standard input; whatever else begins with a hyphen is a misspelt option."""
    if source is not None and source.startswith("-") and source != "-":
        raise ValueError(f"there is no option {source}")


def _watch(progress: Progress, source: Source) -> StepListener:
    task = progress.add_task(printable(source.topic), total=source.size, records=0)
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
        if not report.read and not report.stopped:
            yield "Nothing new: all of it was read before." if not report.unfinished else "No new line."
        if report.unfinished:
            yield (
                f"The last line has no end yet: its {counted(report.unfinished, 'byte waits', 'bytes wait')}, and a "
                "later run takes it once it is whole. If the file is complete as it is, run the command again with "
                "--complete."
            )
        return
    for partition, why in report.given_up.items():
        yield f"{partition} needs a person: {why}"
    records = sum(report.waiting.values())
    if records:
        waiting = ", ".join(f"{count:,} in {partition}" for partition, count in report.waiting.items())
        yield f"{counted(records, 'record waits', 'records wait')}: {waiting}. `lpa health` says what holds them up."
    elif not report.read and not report.given_up:
        yield "Nothing was read: no record waits in the partitions that this worker had."


def _print_report(report: Report) -> None:
    screen = console()
    count = ListColumn("count", right=True)
    records = [("read", report.read), ("accepted", report.accepted)]
    records.append(("dead-lettered", sum(report.dead_lettered.values())))
    records += [(f"  {kind} {reason}", number) for (kind, reason), number in report.dead_lettered.most_common()]
    records.append(("quarantined (duplicates)", report.quarantined))
    if report.other_content:
        records.append(("  same key, other content", report.other_content))
    if report.ignored:
        records.append(("ignored", sum(report.ignored.values())))
        records += [(f"  {reason}", number) for reason, number in report.ignored.most_common()]
    print_list(screen, ("records", count), [(name, f"{number:,}") for name, number in records], title=report.source)
    if report.rows:
        print_line("")
        rows = [(table, f"{number:,}") for table, number in sorted(report.rows.items())]
        print_list(screen, ("table", ListColumn("rows written", right=True)), rows)
    print_line("")
    if report.discarded:
        kinds = ", ".join(f"{number:,} {kind}" for kind, number in sorted(report.discarded.items()))
        print_paragraph(screen, f"Times in the data of events were not believed and left out: {kinds}")
    if report.unfit:
        one = "value did not fit its column and was left empty or 0"
        print_paragraph(screen, counted(report.unfit, one, "values did not fit their column and were left empty or 0"))
    if report.other_content:
        several = "events have the key of a stored event, but other content: they are not stored"
        one = "event has the key of a stored event, but other content: it is not stored"
        what = counted(report.other_content, one, several)
        print_paragraph(screen, f"{what}. `lpa triage` shows them; each event needs an id of its own")
    rate = f", {report.events_per_second:,.0f} events/s" if report.read else ""
    print_line(f"{report.seconds:.1f} s{rate}")
    for line in _left(report):
        print_paragraph(screen, line)
