"""Puts a worker together from URIs and settings, runs it, and takes it apart."""

from __future__ import annotations

import ctypes
import gc
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import final

import attrs
import structlog

from lpa_core.delivery.checkpoint import Checkpoint, FileCheckpoint, MemoryCheckpoint
from lpa_core.delivery.ranges import Range
from lpa_core.delivery.report import Report
from lpa_core.delivery.worker import Limits, Step, StepListener, Worker
from lpa_core.pipeline import Pipeline
from lpa_core.plugins.manager import PluginError, PluginManager
from lpa_core.rejects import DLQ_TABLE, QUARANTINE_TABLE
from lpa_core.rows import RAW_TABLE
from lpa_core.settings import Settings
from lpa_core.sources.source import Source
from lpa_core.uris import without_secrets

_log = structlog.get_logger("lpa.runner")

_OBJECTS_BETWEEN_COLLECTIONS = 1_000_000
_HANDOVER_SECONDS = 0.0005

WatchSource = Callable[[Source], StepListener]
"""Is shown the opened source, and answers who is to be told of each step."""


def _unwatched(source: Source) -> StepListener:
    return lambda step, range_: None


@final
@attrs.frozen
class Job:
    """What to ingest, and where to. None stands for the default under the data folder."""

    source: str | None = None
    sinks: Sequence[str] = ()
    dedup: str | None = None
    archive: str | None = None

    def sinks_or_default(self, settings: Settings) -> Sequence[str]:
        """``clickhouse://`` alone stands for the address in the settings."""
        named = [settings.clickhouse.url if uri == "clickhouse://" else uri for uri in self.sinks]
        return named or (f"chdb://{settings.lpa.data_dir / 'clickhouse'}",)

    def dedup_or_default(self, settings: Settings) -> str:
        return self.dedup or f"rocksdb://{settings.lpa.data_dir / 'dedup'}"


def build_pipeline(plugins: PluginManager, settings: Settings) -> Pipeline:
    versions = settings.quality.supported_versions
    return Pipeline(
        plugins.event_types(),
        supported_versions=() if versions == ("any",) else versions,
        plugin_validators=plugins.validators(),
        classifiers=plugins.classifiers(),
        max_row_bytes=settings.clickhouse.sink_max_record_bytes,
    )


def ingest(job: Job, settings: Settings, plugins: PluginManager, watch: WatchSource = _unwatched) -> Report:
    """Deliver everything the source has, or until SIGINT or SIGTERM, which let the range in work finish.

    Raises what assembling and delivering raise: PluginError, SourceError, SinkUnavailable, SinkMisconfigured,
    DedupStoreError, DedupStoreUnavailable, CheckpointError, ArchiveError.
    """
    with ExitStack() as opened:
        worker = _assemble(job, settings, plugins, watch, opened)
        with _stopped_by_signals(worker), _quiet_collector(), _prompt_handover():
            return worker.run()


def _assemble(job: Job, settings: Settings, plugins: PluginManager, watch: WatchSource, opened: ExitStack) -> Worker:
    if job.source is None:
        quality = settings.quality
        raise PluginError(
            f"no source was named, and the Kafka source for {quality.input_topic} at {quality.kafka_bootstrap} does "
            "not exist yet: name a file, or - for standard input"
        )
    source = plugins.source(job.source)
    opened.callback(source.close)
    pipeline = build_pipeline(plugins, settings)
    sink_uris = job.sinks_or_default(settings)
    sinks = [plugins.sink(uri) for uri in sink_uris]
    checkpoint = _checkpoint(source, sink_uris, settings)
    opened.callback(checkpoint.close)
    for sink in sinks:
        opened.callback(sink.close)
        sink.open((*pipeline.tables, RAW_TABLE, DLQ_TABLE, QUARANTINE_TABLE))
    dedup = plugins.dedup_store(job.dedup_or_default(settings))
    opened.callback(dedup.close)
    archive = plugins.archive(job.archive) if job.archive else None
    if archive is not None:
        opened.callback(archive.close)
    return Worker(
        source,
        pipeline,
        dedup,
        sinks,
        checkpoint,
        limits=Limits(settings.clickhouse.sink_max_batch_size, settings.clickhouse.sink_max_batch_bytes),
        archive=archive,
        listener=_giving_back(watch(source)),
    )


def _checkpoint(source: Source, sinks: Sequence[str], settings: Settings) -> Checkpoint:
    if not source.repeatable:
        return MemoryCheckpoint()
    towards = ",".join(sorted(without_secrets(sink) for sink in sinks))
    return FileCheckpoint(settings.lpa.data_dir / "checkpoints", source.topic, source.partition, towards)


def _giving_back(listener: StepListener) -> StepListener:
    """Hand a finished range's memory back to the system, where the C library can: it would keep it for ever."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)

    def trimming(step: Step, range_: Range) -> None:
        listener(step, range_)
        if trim is not None and step is Step.FINISHED:
            trim(0)

    return trimming


@contextmanager
def _stopped_by_signals(worker: Worker) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number: int, frame: object) -> None:
        if worker.stopping:
            # As safe as a kill, and the only way past a writer that waits for a sink that is down.
            os._exit(128 + number)
        _log.info("stopping after the range in work; once more stops at once", signal=signal.Signals(number).name)
        worker.stop()

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _quiet_collector() -> Iterator[None]:
    """Keep the cyclic collector from walking over a range's objects again and again.

    They are tens of thousands and without a cycle; walking costs as much as decoding them. What is alive now stays
    out of it, and the rest is looked at about once in many ranges, for what libraries leave behind.
    """
    thresholds = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS, 2, 5)
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)
        gc.unfreeze()


@contextmanager
def _prompt_handover() -> Iterator[None]:
    """Let the writing thread have the interpreter soon after it asks.

    It asks some eight times an insert, for a moment each: at the default of 5 ms it waits longer than it writes.
    """
    interval = sys.getswitchinterval()
    sys.setswitchinterval(_HANDOVER_SECONDS)
    try:
        yield
    finally:
        sys.setswitchinterval(interval)
