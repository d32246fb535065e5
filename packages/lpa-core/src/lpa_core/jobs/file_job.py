"""The main job on a file or a plugin's source: puts a worker together, runs it, and takes it apart."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack, suppress

from lpa_core.dedup.store import SupportsVouching
from lpa_core.delivery.batch_clock import SLACK_MS
from lpa_core.delivery.checkpoint import (
    Checkpoint,
    CheckpointError,
    FileCheckpoint,
    MemoryCheckpoint,
    finished_towards,
)
from lpa_core.delivery.observer import Step
from lpa_core.delivery.ranges import Range
from lpa_core.delivery.run_report import Report
from lpa_core.delivery.source_worker import SourceLimits, SourceWorker, StepListener
from lpa_core.jobs.assembly import Job, build_pipeline, fold_rules, open_archive, open_sinks, start_derivation
from lpa_core.jobs.process import map_large_buffers, prompt_handover, quiet_collector, stopped_by_signals, trim_memory
from lpa_core.jobs.restoration import require_whole
from lpa_core.plugins.manager import PluginManager
from lpa_core.release import RELEASED_MS, WrongClockError, shown
from lpa_core.settings.settings import Settings
from lpa_core.sinks.sink import (
    Sink,
    SupportsDerivation,
    SupportsInventory,
    SupportsPresence,
    SupportsStoredOffsets,
)
from lpa_core.sources.source import Source
from lpa_core.uris import AddressRefused, local_path, without_secrets

WatchSource = Callable[[Source], StepListener]
"""Receives the opened source, and returns the observer of each step."""


def unwatched(source: Source) -> StepListener:
    return lambda step, range_: None


def require_written(source: str, now_ms: int) -> None:
    """Raise WrongClockError if a file was written later than the clock says, which then is behind."""
    with suppress(OSError, AddressRefused):  # a plugin's source need not be a file
        path = local_path(source)
        written = int(path.stat().st_mtime * 1000)
        if written > now_ms + SLACK_MS:
            raise WrongClockError(
                f"{path} was written at {shown(written)}, and the clock says {shown(now_ms)}: set the clock of this "
                "machine right, or `touch` the file where its time is wrong"
            )


def deliver(
    source: Source,
    job: Job,
    settings: Settings,
    plugins: PluginManager,
    watch: WatchSource = unwatched,
    *,
    recovering: bool = False,
) -> Report:
    """Deliver from a source that is opened already and closed here; ``job.source`` is not looked at.

    ``recovering``: it may bring a lost database back, so one that holds nothing is not refused.
    """
    with ExitStack() as opened:
        opened.callback(source.close)
        worker = _assemble(source, job, settings, plugins, watch, opened, recovering)
        map_large_buffers()
        with stopped_by_signals(worker, settings.lpa.stop_seconds), quiet_collector(), prompt_handover():
            return worker.run()


def _assemble(
    source: Source,
    job: Job,
    settings: Settings,
    plugins: PluginManager,
    watch: WatchSource,
    opened: ExitStack,
    recovering: bool,
) -> SourceWorker:
    pipeline = build_pipeline(plugins, settings)
    sink_uris = job.sinks_or_default(settings)
    sinks = [plugins.sink(uri) for uri in sink_uris]
    checkpoint = _checkpoint(source, sink_uris, settings)
    opened.callback(checkpoint.close)
    require_whole(map(without_secrets, sink_uris), settings)
    if not recovering:
        for uri, sink in zip(sink_uris, sinks, strict=True):
            if isinstance(sink, SupportsPresence) and not sink.is_there():
                require_nothing_read(uri, sink, settings)
    open_sinks(sinks, pipeline, opened)
    if not recovering:
        _require_stored(zip(sink_uris, sinks, strict=True), settings)
        if isinstance(checkpoint, FileCheckpoint):
            _require_agreement(source, sinks, checkpoint)
    dedup = plugins.dedup_store(job.dedup_or_default(settings))
    opened.callback(dedup.close)
    if isinstance(dedup, SupportsVouching):
        dedup.require_kept(some=checkpoint.progress.offset > 0)
    archive = open_archive(job, plugins, opened)
    deriving = [sink for sink in sinks if isinstance(sink, SupportsDerivation)] if job.facts else []
    derivation = start_derivation(deriving, fold_rules(plugins, settings), opened)
    return SourceWorker(
        source,
        pipeline,
        dedup,
        sinks,
        checkpoint,
        limits=SourceLimits(settings.clickhouse.sink_max_batch_size, settings.clickhouse.sink_max_batch_bytes),
        archive=archive,
        listener=_each(derivation.step, watch(source), _give_back),
        earliest=RELEASED_MS,
    )


def _require_stored(sinks: Iterable[tuple[str, Sink]], settings: Settings) -> None:
    """Raise CheckpointError if a sink has lost what was read from files: it would be taken for stored."""
    for uri, sink in sinks:
        if isinstance(sink, SupportsInventory) and sink.is_empty():
            require_nothing_read(uri, sink, settings)


def require_nothing_read(uri: str, sink: Sink, settings: Settings) -> None:
    """Raise CheckpointError if files were read into a sink that holds nothing."""
    data = settings.lpa.data
    read = finished_towards(data.checkpoints, without_secrets(uri))
    if read:
        raise CheckpointError(
            f"{sink} holds nothing, though {sum(read.values()):,} records of {', '.join(sorted(read)[:3])} were "
            f"stored in it: bring it back with `lpa recover total-loss`, or remove {data.checkpoints} and "
            f"{data.claims} to read everything again"
        )


def _require_agreement(source: Source, sinks: Iterable[Sink], checkpoint: FileCheckpoint) -> None:
    """Raise CheckpointError if a sink has records of the source that its checkpoint does not know of.

    They would come twice.
    """
    for sink in sinks:
        if checkpoint.known:
            prepared = checkpoint.prepared
            behind = checkpoint.progress.offset if prepared is None else prepared.end
            if isinstance(sink, SupportsStoredOffsets) and sink.stored_from(source.topic, {source.partition: behind}):
                raise CheckpointError(
                    f"{sink} holds records of {source.topic} after the {behind:,} that its checkpoint counts: "
                    "an older checkpoint was put back. Restore the newest one with `lpa backup restore`, "
                    "or give the file a name of its own (stored records then count as repeated)"
                )
        elif isinstance(sink, SupportsInventory) and sink.holds(source.topic, source.partition):
            raise CheckpointError(
                f"{sink} holds records of {source.topic} already, but no checkpoint says how far it was read. Give "
                "the same --sink as then (files for an added sink need a run of their own), restore a lost checkpoint "
                "with `lpa backup restore`, or give the file a name of its own (stored records then count as repeated)"
            )


def _checkpoint(source: Source, sinks: Sequence[str], settings: Settings) -> Checkpoint:
    if not source.repeatable:
        return MemoryCheckpoint()
    return file_checkpoint(source.topic, source.partition, sinks, settings)


def file_checkpoint(topic: str, partition: int, sinks: Sequence[str], settings: Settings) -> FileCheckpoint:
    """How far a partition is, on its way into these sinks. Raises CheckpointError."""
    towards = ",".join(sorted(without_secrets(sink) for sink in sinks))
    return FileCheckpoint(settings.lpa.data.checkpoints, topic, partition, towards)


def _each(*listeners: StepListener) -> StepListener:
    def listener(step: Step, range_: Range) -> None:
        for each in listeners:
            each(step, range_)

    return listener


def _give_back(step: Step, range_: Range) -> None:
    if step is Step.FINISHED:
        trim_memory()
