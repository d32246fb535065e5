"""The stages of a process of a task manager, put together from its settings and plugins."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from functools import partial
from itertools import takewhile
from typing import Final, final

import attrs

from lpa_core import logs
from lpa_core.delivery.batch_clock import BatchClock
from lpa_core.delivery.group_destination import GroupDestination
from lpa_core.delivery.limits import RejectLimits
from lpa_core.errors import LpaError, Unavailable
from lpa_core.jobs.assembly import build_pipeline, open_sinks
from lpa_core.kafka.outgoing_records import of_reject, of_touches
from lpa_core.pipeline.pipeline import Pipeline
from lpa_core.plugins.fingerprint import fingerprint
from lpa_core.plugins.manager import PluginManager
from lpa_core.release import RELEASED_MS
from lpa_core.settings.loading import load
from lpa_core.settings.settings import Settings
from lpa_core.sinks.sink import Sink, StoredKeys, SupportsNewestTime, SupportsRecall
from lpa_flink.frames import encode_stop
from lpa_flink.stages import KeysStage, WriteStage

MOST_RETRY_SECONDS: Final = 300
"""A write is given up after this time, and the range comes again from the newest checkpoint: the brokers would end the
transaction that holds what is to be published beside it (``TRANSACTION_TIMEOUT_MS``)."""


@final
class Opened:
    """A stage that is put together where it runs, at its first frame: it travels there as a pickle."""

    def __init__(self, assemble: Callable[[], Callable[[bytes], Iterable[bytes]]]) -> None:
        self._assemble = assemble
        self._stage: Callable[[bytes], Iterable[bytes]] | None = None

    def __call__(self, frame: bytes) -> Iterator[bytes]:
        """The stage's frames; or that of the reason to end the job, if beginning again would not help.

        Raises Unavailable: the job goes back to its newest checkpoint, and the frame comes again.
        """
        try:
            if self._stage is None:
                self._stage = self._assemble()
            yield from self._stage(frame)
        except Unavailable:
            raise
        except LpaError as problem:
            yield encode_stop(str(problem))


def keys_stage(submitted_at: int) -> KeysStage:
    """The first stage. The sink stays open for as long as the process lives.

    Args:
        submitted_at: epoch ms; events that were stored before have claims that the job's state may lack.

    Raises ConfigurationError, SinkUnavailable.
    """
    settings, plugins, pipeline = _parts()
    clock = BatchClock(_now, time.monotonic, RELEASED_MS)
    sink = _sink(settings, plugins, pipeline)
    if isinstance(sink, SupportsNewestTime):
        clock.stored(sink.newest_batch_time())
    lives = settings.quality.dedup_ttl_minutes * 60_000

    def stored_claims(topic: str, partition: int) -> Iterator[StoredKeys]:
        if isinstance(sink, SupportsRecall) and (since := _now() - lives) < submitted_at:
            stored = sink.recall(topic, partition, 0, since)
            yield from takewhile(lambda each: each.batch_time < submitted_at, stored)

    return KeysStage(pipeline, clock, fingerprint(settings, plugins.plugins), stored_claims)


def write_stage() -> WriteStage:
    """Raises ConfigurationError, SinkUnavailable. The sink stays open for as long as the process lives."""
    settings, plugins, pipeline = _parts()
    quality = settings.quality
    sink = _sink(settings, plugins, pipeline)
    return WriteStage(
        pipeline,
        GroupDestination(
            (sink,),
            partial(of_reject, quality=quality),
            announce=partial(of_touches, quality=quality),
        ),
        RejectLimits(quality.reject_limit_share, quality.reject_limit_consecutive),
        fingerprint(settings, plugins.plugins),
        with_headers=quality.traceparent == "keep",
    )


def _parts() -> tuple[Settings, PluginManager, Pipeline]:
    settings = load()
    limits = settings.clickhouse
    seconds = min(limits.sink_retry_seconds or MOST_RETRY_SECONDS, MOST_RETRY_SECONDS)
    settings = attrs.evolve(settings, clickhouse=attrs.evolve(limits, sink_retry_seconds=seconds))
    logs.configure("json", settings.lpa.log_level)
    plugins = PluginManager(settings)
    return settings, plugins, build_pipeline(plugins, settings)


def _sink(settings: Settings, plugins: PluginManager, pipeline: Pipeline) -> Sink:
    sink = plugins.sink(settings.clickhouse.url)
    open_sinks((sink,), pipeline, ExitStack())
    return sink


def _now() -> int:
    return time.time_ns() // 1_000_000
