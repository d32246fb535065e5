"""The main job on Kafka: a worker of the consumer group, with its admin endpoint."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from typing import Any, final

import attrs
import structlog

from lpa_core.admin.job import JobState, PartitionStatus, SavepointStatus
from lpa_core.admin.server import AdminServer
from lpa_core.delivery.commit_metadata import MAX_SPAN
from lpa_core.delivery.consumer_group import OutgoingRecord
from lpa_core.delivery.group_destination import GroupDestination
from lpa_core.delivery.group_worker import GroupWorker
from lpa_core.delivery.limits import GroupLimits, RejectLimits
from lpa_core.delivery.observer import Observer, Observers
from lpa_core.delivery.offset_gaps import GapPolicy
from lpa_core.delivery.partitions import Phase, given_up, waiting
from lpa_core.delivery.pending_range import PendingRange
from lpa_core.delivery.range_builder import PATIENCE
from lpa_core.delivery.run_report import Report
from lpa_core.delivery.tap import Tap
from lpa_core.delivery.worker_context import WorkerContext
from lpa_core.health.monitor import monitor_of
from lpa_core.jobs.admin_tap import AdminTap
from lpa_core.jobs.assembly import Job, build_pipeline, fold_rules, open_archive, open_sinks, start_derivation
from lpa_core.jobs.metrics_observer import MetricsObserver
from lpa_core.jobs.otlp_export import otlp_export
from lpa_core.jobs.partition_claims import stores_of
from lpa_core.jobs.process import map_large_buffers, prompt_handover, quiet_collector, stopped_by_signals
from lpa_core.jobs.savepoint_stop import SavepointStop
from lpa_core.kafka.admin import admin_client
from lpa_core.kafka.brokers import metadata_bytes
from lpa_core.kafka.configuration import consumer_configuration, producer_configuration
from lpa_core.kafka.outgoing_records import of_reject, of_touches
from lpa_core.kafka.permissions import require
from lpa_core.kafka.topics import require_topics, wanted_topics
from lpa_core.metrics import Metrics
from lpa_core.plugins.fingerprint import fingerprint
from lpa_core.plugins.manager import PluginManager
from lpa_core.release import RELEASED_MS
from lpa_core.settings.settings import Settings
from lpa_core.settings.values import TOPIC_NAME
from lpa_core.sinks.sink import Sink, SupportsDerivation, SupportsWaitReason
from lpa_core.sources.source import SourceError
from lpa_core.uris import AddressRefused, kafka_source, without_secrets

_STUCK_SECONDS = 120.0
"""A worker whose loop has not turned for so long is not going to: handing a partition over takes far less."""

_RANGES_AHEAD = 3
"""Bytes that are read ahead, in ranges of the largest size: one in work, one ready, one being filled."""

_log = structlog.get_logger("lpa.runner")


@final
class KafkaJob:
    """Runs a worker until a signal or the admin endpoint stops it. The admin endpoint shows it (an AdministeredJob)."""

    def __init__(
        self, job: Job, settings: Settings, plugins: PluginManager, observe: type[MetricsObserver] = MetricsObserver
    ) -> None:
        self._job, self._settings, self._plugins = job, settings_at(job.source, settings), plugins
        self._observe = observe
        self._metrics = Metrics()
        self._sinks: tuple[Sink, ...] = ()
        self._state = JobState.CREATED
        self._stop = SavepointStop(self._settings, plugins, job.dedup_or_default(self._settings))
        self.id = uuid.uuid4().hex
        self.name = f"ingest {', '.join(self._settings.quality.topics)}"
        self.started_ms = _now()
        self.ended_ms: int | None = None

    def run(self) -> Report:
        """Deliver until SIGINT, SIGTERM, or a request to stop.

        Raises what :meth:`GroupWorker.run` raises, PluginError, AdminError, and SavepointError.
        """
        settings, plugins = self._settings, self._plugins
        self._check_topics()
        self._metadata_bytes = metadata_bytes(admin_client(settings), settings)
        with ExitStack() as opened:
            if self._job.from_savepoint is not None:
                restored = plugins.savepoints().restore(self._job.from_savepoint)
                _log.info("restored", savepoint=restored.id, partitions=len(restored.commits))
            self._worker, self._accounts = self._assemble(opened)
            sink, dedup = self._job.sinks_or_default(settings)[0], self._job.dedup
            monitor = monitor_of(
                settings,
                plugins.health_checks(),
                plugins.event_types(),
                self._metrics.health,
                sink=sink,
                dedup=dedup,
                given_up=lambda: given_up(self._worker.states),
            )
            opened.enter_context(stopped_by_signals(self._worker))
            server = AdminServer(
                settings.lpa.admin_address,
                settings.lpa.admin_token,
                self,
                self._metrics.registry,
                health=lambda: monitor.latest().as_json(),
                tap=AdminTap(self._tap),
            )
            opened.callback(server.close)
            server.start()
            opened.callback(monitor.close)
            monitor.start()
            started = time.perf_counter()
            self._state = JobState.RUNNING
            map_large_buffers()
            try:
                with quiet_collector(), prompt_handover():
                    self._worker.run()
                    self._state = JobState.FINISHED
            except BaseException:
                self._state = JobState.FAILED
                raise
            finally:
                self.ended_ms = _now()
                report, left = self._accounts.report, self._worker.left
                report.seconds = time.perf_counter() - started
                report.waiting, report.given_up = waiting(left), given_up(left)
            self._stop.linger()
        return self._accounts.report

    def _check_topics(self) -> None:
        """Say what is missing before anything is started. Raises ForbiddenError, BrokerError, BrokerUnavailable."""
        admin = admin_client(self._settings)
        require("lpa ingest", admin, self._settings)
        require_topics(admin, wanted_topics(self._settings), self._settings)

    def _assemble(self, opened: ExitStack) -> tuple[GroupWorker, MetricsObserver]:
        settings, plugins, job = self._settings, self._plugins, self._job
        quality, limits = settings.quality, settings.clickhouse
        pipeline = build_pipeline(plugins, settings)
        sinks = {plugins.sink(uri): without_secrets(uri) for uri in job.sinks_or_default(settings)}
        open_sinks(sinks, pipeline, opened)
        self._sinks = tuple(sinks)
        archive = open_archive(job, plugins, opened)
        deriving = [sink for sink in sinks if isinstance(sink, SupportsDerivation)]
        here = [each for each in deriving if each.exclusive] if job.facts else []
        derivation = start_derivation(here, fold_rules(plugins, settings), opened, self._metrics.derived)
        self._tap = Tap(pipeline.masking)
        accounts = self._observe(", ".join(quality.topics), self._metrics, sinks, derivation.step)
        observer: Observer = accounts
        if settings.lpa.otlp == "on":
            observer = Observers(accounts, opened.enter_context(otlp_export(self._metrics.registry, self.id)))
        # Imported here: the client is an extra, and everything else can be looked at without it.
        from lpa_core.kafka.consumer_group import KafkaConsumerGroup

        # One name for all sessions of the process: the next one decides what the one before left open.
        transactional_id = f"{quality.group_id}-{uuid.uuid4().hex}"
        worker = GroupWorker(
            lambda: KafkaConsumerGroup(
                consumer_configuration(settings),
                producer_configuration(settings, transactional_id),
                with_keys=archive is not None or quality.traceparent == "keep",
            ),
            quality.topics,
            pipeline,
            stores_of(job.dedup_or_default(settings), quality.dedup_ttl_minutes * 60_000, plugins),
            GroupDestination(
                self._sinks,
                partial(of_reject, quality=quality),
                announce=partial(of_touches, quality=quality)
                if any(not each.exclusive for each in deriving)
                else _nothing,
                archive=archive,
            ),
            limits=GroupLimits(
                max_records=min(limits.sink_max_batch_size, MAX_SPAN),
                max_bytes=limits.sink_max_batch_bytes,
                max_buffered_bytes=_RANGES_AHEAD * limits.sink_max_batch_bytes,
                max_seconds=limits.sink_max_time_ms / 1000,
                stop_seconds=settings.lpa.stop_seconds,
                progress_seconds=settings.lpa.progress_seconds + PATIENCE * limits.sink_max_time_ms / 1000,
                metadata_bytes=self._metadata_bytes,
                rejects=RejectLimits(quality.reject_limit_share, quality.reject_limit_consecutive),
            ),
            gap_policy=GapPolicy(quality.offset_gap_policy),
            from_end=quality.topics_from_their_end,
            fingerprint=fingerprint(settings, plugins.plugins),
            before_leaving=self._stop.save,
            context=WorkerContext(observer=observer, tap=self._tap, earliest=RELEASED_MS),
        )
        self._metrics.standstill.set_function(worker.standstill.seconds)
        return worker, accounts

    # What the admin endpoint shows, and asks for.

    def stop(self, with_savepoint: str | None) -> str:
        return self._stop.ask(
            with_savepoint,
            lambda: self._worker.stop(),
            running=self._state is JobState.RUNNING and not self._worker.stopping,
        )

    def savepoint(self, request_id: str) -> SavepointStatus | None:
        return self._stop.status(request_id)

    def state(self) -> JobState:
        if self._state is JobState.RUNNING and self._worker.stopping:
            return JobState.CANCELLING
        if self._state is JobState.RUNNING and (states := self._worker.states.values()):
            failing = all(state.phase is Phase.FAILED for state in states)
            return JobState.FAILING if failing else JobState.RUNNING
        return self._state

    def healthy(self) -> bool:
        if self._state is JobState.FAILED or time.monotonic() - self._worker.turned_at >= _STUCK_SECONDS:
            return False
        waits = bool(self._worker.waiting_for_dedup or self._sinks_waited_for())
        return waits or not self._worker.standstill.hopeless()

    def _sinks_waited_for(self) -> list[str]:
        waiting = [sink.waiting_for for sink in self._sinks if isinstance(sink, SupportsWaitReason)]
        return [f"waiting for the sink: {why}" for why in waiting if why]

    def not_ready(self) -> Sequence[str]:
        worker = self._worker
        hindrance = f": {worker.standstill.hindrance}" if worker.standstill.hindrance else ""
        reasons = []
        if self.state() not in (JobState.RUNNING, JobState.FAILING):
            reasons.append(f"the job is {self.state().value.lower()}")
        elif not worker.joined:
            reasons.append(f"no partitions were assigned yet{hindrance}")
        reasons += [f"{stalled}{hindrance}" for stalled in worker.standstill.stalled()]
        reasons += self._sinks_waited_for()
        if worker.waiting_for_dedup:
            reasons.append(f"waiting for the dedup store: {worker.waiting_for_dedup}")
        if worker.backpressured:
            reasons.append("backpressure: reading is paused until writing catches up")
        reasons += [f"{state.partition}: {state.why}" for state in worker.states.values() if state.why]
        return reasons

    def partitions(self) -> Sequence[PartitionStatus]:
        return [
            PartitionStatus(
                topic=partition.topic,
                partition=partition.number,
                state=f"{state.phase.value}: {state.why}" if state.why else state.phase.value,
                committed_offset=state.committed.offset if state.committed else None,
                end_offset=state.end,
                in_work=state.in_work,
                backpressured=self._worker.backpressured and state.phase is Phase.RUNNING,
                failed=state.phase is Phase.FAILED,
            )
            for partition, state in sorted(self._worker.states.items())
        ]

    def report(self) -> Mapping[str, Any]:
        return self._accounts.as_json()


def _nothing(pending: PendingRange) -> Sequence[OutgoingRecord]:
    return ()


def settings_at(source: str | None, settings: Settings) -> Settings:
    """The settings, with the broker and topic that a ``kafka://host:port/topic`` names. Raises SourceError."""
    try:
        brokers, topic = kafka_source(source or "")
    except AddressRefused as refused:
        raise SourceError(str(refused)) from None
    quality = settings.quality
    if brokers:
        quality = attrs.evolve(quality, kafka_bootstrap=brokers)
    if topic:
        try:
            quality = attrs.evolve(quality, input_topics=(topic,))
        except ValueError:
            raise SourceError(f"kafka://.../{topic}: expected a topic after the brokers: {TOPIC_NAME}") from None
    return attrs.evolve(settings, quality=quality)


def _now() -> int:
    return time.time_ns() // 1_000_000
