"""``lpa materialize``: a member of the consumer group that derives facts from what the topic says is touched."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import Any, Final, final

import attrs
import structlog
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from lpa_core.admin.job import JobState, PartitionStatus, SavepointStatus, StopRefused
from lpa_core.admin.server import AdminServer
from lpa_core.delivery.consumer_group import BrokerError, CommitUncertainError, ForbiddenError, Partition
from lpa_core.delivery.standstill import Standstill
from lpa_core.delivery.touched_sessions import Touch, UnreadableTouchError, decode
from lpa_core.health.monitor import monitor_of
from lpa_core.jobs.assembly import fold_rules
from lpa_core.jobs.process import stopped_by_signals
from lpa_core.kafka.admin import admin_client, explained
from lpa_core.kafka.configuration import consumer_configuration
from lpa_core.kafka.explained_errors import explanation
from lpa_core.kafka.permissions import require
from lpa_core.metrics import Metrics
from lpa_core.plugins.manager import PluginManager
from lpa_core.release import require_clock
from lpa_core.settings.settings import Settings
from lpa_core.sinks.derived import Derived
from lpa_core.sinks.sink import SinkUnavailable, StoredRange
from lpa_sinks.clickhouse.client import connect
from lpa_sinks.clickhouse.database import endpoint_of
from lpa_sinks.clickhouse.retries import AT_ONCE
from lpa_sinks.materialize.fact_database import FactDatabase
from lpa_sinks.materialize.materializer import DerivationOvertakenError, Materializer
from lpa_sinks.materialize.row_filter import SessionKey

_TOUCHES_AT_ONCE: Final = 20_000
_POLL_SECONDS: Final = 0.5
_AGAIN_SECONDS: Final = 2.0
_OPEN_SESSIONS: Final = 50_000
_STUCK_SECONDS: Final = 600.0

_log = structlog.get_logger("lpa.materialize")


@final
@attrs.define(slots=True)
class _Batch:
    """What some records of the topic say is touched."""

    ranges: set[StoredRange] = attrs.field(factory=set[StoredRange])
    keys: set[SessionKey] = attrs.field(factory=set[SessionKey])
    tables: dict[str, set[StoredRange]] = attrs.field(factory=dict[str, set[StoredRange]])
    jobs: set[StoredRange] = attrs.field(factory=set[StoredRange])
    first: dict[tuple[str, int], int] = attrs.field(factory=dict[tuple[str, int], int])
    """Topic and partition -> the first offset."""
    oldest: int | None = None
    """When the first of them was published, epoch ms."""

    def add(self, touch: Touch) -> None:
        if touch.table:
            self.tables.setdefault(touch.table, set()).add(touch.stored)
        else:
            self.ranges.add(touch.stored)
            key = SessionKey.of(touch.org, touch.stream_id, touch.request_id)
            self.keys.add(key)
            if not key.has_ids:
                self.jobs.add(touch.stored)


@final
class MaterializeJob:
    """Runs until somebody stops it. Any number of these jobs share the topic's partitions.

    It commits offsets after everything is written. If a job dies, the next one therefore repeats its unfinished work.
    Facts that are derived twice are the same facts. The admin endpoint shows the job (an AdministeredJob).
    """

    def __init__(self, sink: str, settings: Settings, plugins: PluginManager) -> None:
        self._endpoint, self._settings, self._rules = (
            endpoint_of(sink, settings),
            settings,
            fold_rules(plugins, settings),
        )
        self._metrics = Metrics()
        self._monitor = monitor_of(
            settings, plugins.health_checks(), plugins.event_types(), self._metrics.health, sink=sink, dedup=None
        )
        self._stopping = threading.Event()
        self._state = JobState.CREATED
        self._assigned: dict[int, PartitionStatus] = {}
        self._ended: dict[int, int] = {}
        """Partitions of which all that can be read was read, and up to where that was."""
        self._changed_hands = False
        self._waiting = "no partitions were assigned yet"
        self._standstill = Standstill(settings.lpa.progress_seconds, time.monotonic)
        self._metrics.standstill.set_function(self._standstill.seconds)
        self._unfinished = False
        """Whether records were read whose facts, or whose offsets, are not written yet."""
        self._begun = _Batch()
        self._total = Derived()
        self._session_seconds = int(settings.kafka.get("session.timeout.ms", "45000")) / 1000
        self._alive_at = time.monotonic()
        self.id = uuid.uuid4().hex
        self.name = f"materialize {settings.quality.touched_topic}"
        self.started_ms = require_clock(_now())
        self.ended_ms: int | None = None

    def run(self) -> Derived:
        """Derive until SIGINT or SIGTERM.

        Raises BrokerError, BrokerUnavailable, SinkMisconfigured, SinkUnavailable, AdminError.
        """
        settings = self._settings
        with ExitStack() as opened:
            client = connect(self._endpoint, settings.clickhouse.password, settings.clickhouse.sink_timeout_seconds)
            opened.callback(client.close)
            self._materializer = Materializer(
                FactDatabase(client, self._endpoint.database),
                self._rules,
                open_sessions=_OPEN_SESSIONS,
                before_writing=self._still_ours,
            )
            require("lpa materialize", admin_client(settings), settings)
            with explained("set up a consumer", settings):
                self._consumer = Consumer(_configuration(settings))
            opened.callback(self._consumer.close)
            opened.enter_context(stopped_by_signals(self, settings.lpa.stop_seconds))
            server = AdminServer(
                settings.lpa.admin_address,
                settings.lpa.admin_token,
                self,
                self._metrics.registry,
                health=lambda: self._monitor.latest().as_json(),
            )
            opened.callback(server.close)
            server.start()
            opened.callback(self._monitor.close)
            self._monitor.start()
            self._state = JobState.RUNNING
            try:
                with explained("derive from the topic of touched sessions", settings):
                    self._join()
                    while not self._stopping.is_set():
                        self._turn()
                        whole = Partition(settings.quality.touched_topic, 0)
                        self._standstill.look({whole: (0, 0, self._unfinished)}, whole=True)
                self._state = JobState.FINISHED
            except BaseException:
                self._state = JobState.FAILED
                raise
            finally:
                self.ended_ms = _now()
        return self._total

    def _join(self) -> None:
        self._consumer.subscribe(
            [self._settings.quality.touched_topic],
            on_assign=self._assign,
            on_revoke=self._revoke,
            on_lost=self._revoke,
        )

    def _turn(self) -> None:
        # From before: a process that is frozen while it waits for records may get some that others have done meanwhile.
        self._alive_at = time.monotonic()
        messages = self._consumer.consume(_TOUCHES_AT_ONCE, _POLL_SECONDS)
        self._changed_hands = False
        batch = self._read(messages)
        if batch is None:
            self._metrics.materialize_lag.set(0)
            if messages:
                self._note_standing()
            return
        self._begun, self._unfinished = batch, True
        try:
            if self._is_derived(batch):
                self._consumer.commit(asynchronous=False)
        except DerivationOvertakenError as why:
            _log.warning("a pass is abandoned: others have the partitions, or may have them", reason=str(why))
            self._begin_again(batch)
        except KafkaException as error:
            self._begin_again(batch)
            self._hindered("offsets could not be committed; what was derived is derived again", error.args[0])
        else:
            self._waiting, self._unfinished = "", False
            self._standstill.finished()
            self._note_lag(batch)

    def _hindered(self, what: str, problem: KafkaError) -> None:
        """Wait if the problem may pass. Raises BrokerError if it cannot pass, ForbiddenError after some time."""
        found = explanation(problem, "derive from the topic of touched sessions", _configuration(self._settings))
        _log.warning(what, reason=str(found))
        self._standstill.hindered(str(found))
        if isinstance(found, ForbiddenError):
            self._standstill.refused(found)
            # Joining again asks for every permission again, and tells when all are there.
            self._consumer.unsubscribe()
            self._waiting = str(found)
            self._stopping.wait(_AGAIN_SECONDS)
            self._join()
        elif isinstance(found, (BrokerError, CommitUncertainError)):
            raise BrokerError(str(found))

    def _is_derived(self, batch: _Batch) -> bool:
        """Derive, no matter how long ClickHouse is away; False if the job was to stop before.

        Raises DerivationOvertakenError.
        """
        while not self._stopping.is_set():
            try:
                self._derive(batch)
                return True
            except SinkUnavailable as unavailable:
                _log.warning("waiting for ClickHouse", reason=str(unavailable))
                self._waiting = str(unavailable)
                self._stopping.wait(_AGAIN_SECONDS)
                self._still_ours()
        return False

    def _read(self, messages: Sequence[Message]) -> _Batch | None:
        batch = _Batch()
        for message in messages:
            error = message.error()
            if error is not None and error.code() == KafkaError._PARTITION_EOF:
                self._ended[int(message.partition() or 0)] = int(message.offset() or 0)
                continue
            if error is not None:
                self._hindered("Kafka reports a problem", error)
                continue
            place = str(message.topic()), int(message.partition() or 0)
            self._ended.pop(place[1], None)
            batch.first.setdefault(place, int(message.offset() or 0))
            published = message.timestamp()[1]
            batch.oldest = published if batch.oldest is None else min(batch.oldest, published)
            try:
                batch.add(decode(message.value()))
            except UnreadableTouchError as problem:
                self._metrics.materialize_unreadable.inc()
                _log.error(
                    "a record says nothing that can be derived from; rebuild the sessions of its time",
                    position=f"{place[0]}[{place[1]}]@{message.offset()}",
                    problem=str(problem),
                )
        return batch if batch.first else None

    def _derive(self, batch: _Batch) -> None:
        started = time.perf_counter()
        tables = {table: sorted(ranges) for table, ranges in batch.tables.items()}
        done = AT_ONCE.run(
            f"{self._endpoint}: derive facts",
            lambda: self._materializer.update(
                sorted(batch.ranges), batch.keys, tables, sorted(batch.jobs), refresh=True
            ),
        )
        self._metrics.derived(done, time.perf_counter() - started)
        self._total.add(done)

    def _note_lag(self, batch: _Batch) -> None:
        if batch.oldest is not None:
            self._metrics.materialize_lag.set(max(0.0, (_now() - batch.oldest) / 1000))
        self._note_standing()

    def _note_standing(self) -> None:
        topic = self._settings.quality.touched_topic
        for number in tuple(self._assigned):
            where = TopicPartition(topic, number)
            (position,) = self._consumer.position([where])
            _, end = self._consumer.get_watermark_offsets(where, cached=True)
            committed = position.offset if position.offset >= 0 else None
            if number in self._ended:  # what lies between is the end of a transaction, or one that is open
                committed = end = self._ended[number]
            self._assigned[number] = PartitionStatus(topic, number, "running", committed, end if end >= 0 else None)
            self._metrics.lagging(topic, number, self._assigned[number].lag or 0)

    def _still_ours(self) -> None:
        """Called again and again during a pass: keeps the membership, and ends the pass where it is lost.

        A process that was frozen has to stop before it hears that it lost its partitions; one that only worked for long
        has lost nothing. The broker knows.
        """
        now = time.monotonic()
        if now - self._alive_at > self._session_seconds / 2:  # the broker counts from the last heartbeat, earlier
            self._ask_whether_ours()
        partitions = [TopicPartition(self._settings.quality.touched_topic, number) for number in self._assigned]
        self._consumer.pause(partitions)
        message = self._consumer.poll(0)
        if message is not None and message.error() is None:  # of a partition that came just now
            self._consumer.seek(
                TopicPartition(str(message.topic()), int(message.partition() or 0), int(message.offset() or 0))
            )
        self._consumer.resume([where for where in partitions if where.partition in self._assigned])
        self._alive_at = now
        if self._changed_hands:
            raise DerivationOvertakenError("the consumer group is being shared out again")

    def _ask_whether_ours(self) -> None:
        """Commit the batch's first offsets again: the broker refuses this to a job that lost the partitions."""
        begins = [TopicPartition(topic, number, offset) for (topic, number), offset in self._begun.first.items()]
        try:
            self._consumer.commit(offsets=begins, asynchronous=False)
        except KafkaException as error:
            raise DerivationOvertakenError(f"the process stood still, and the broker says: {error}") from error

    def _begin_again(self, batch: _Batch) -> None:
        """Read the batch again from the partitions that are still ours."""
        self._materializer.forget()
        for (topic, number), offset in batch.first.items():
            if number in self._assigned:
                self._consumer.seek(TopicPartition(topic, number, offset))

    def _assign(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        consumer.incremental_assign(partitions)
        for entry in partitions:
            self._assigned[entry.partition] = PartitionStatus(entry.topic, entry.partition, "running")
        self._hand_over("assigned", partitions)

    def _revoke(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        for entry in partitions:
            self._assigned.pop(entry.partition, None)
            self._ended.pop(entry.partition, None)
        self._hand_over("returned", partitions)

    def _hand_over(self, what: str, partitions: list[TopicPartition]) -> None:
        # Whoever had a session meanwhile knows more of it than what is kept here.
        self._materializer.forget()
        self._changed_hands, self._waiting = True, ""
        _log.info(f"partitions {what}", partitions=[entry.partition for entry in partitions])
        topic = self._settings.quality.touched_topic
        self._metrics.rebalanced([(topic, number) for number in self._assigned])

    # Stopping, and what the admin endpoint shows.

    @property
    def stopping(self) -> bool:
        return self._stopping.is_set()

    def stop(self, with_savepoint: str | None = None) -> str:
        """There is nothing to save: a savepoint is refused."""
        if with_savepoint is not None:
            raise StopRefused("facts are derived from what is stored: there is nothing to save; stop without a target")
        self._stopping.set()
        return self.id

    def savepoint(self, request_id: str) -> SavepointStatus | None:
        if request_id != self.id:
            return None
        return SavepointStatus(completed=self._state.ended, failure="facts need no savepoint")

    def state(self) -> JobState:
        if self._state is JobState.RUNNING and self.stopping:
            return JobState.CANCELLING
        return self._state

    def healthy(self) -> bool:
        return self._state is not JobState.FAILED and time.monotonic() - self._alive_at < _STUCK_SECONDS

    def not_ready(self) -> Sequence[str]:
        if self.state() is not JobState.RUNNING:
            return [f"the job is {self.state().value.lower()}"]
        hindrance = f": {self._standstill.hindrance}" if self._standstill.hindrance else ""
        stalled = [f"{stalled}{hindrance}" for stalled in self._standstill.stalled()]
        return [*([self._waiting] if self._waiting else []), *stalled]

    def partitions(self) -> Sequence[PartitionStatus]:
        return [status for _, status in sorted(self._assigned.items())]

    def report(self) -> Mapping[str, Any]:
        return attrs.asdict(self._total)


def _configuration(settings: Settings) -> dict[str, Any]:
    """Like that of the ingestion, but for the group, and that it reads from the start if nothing is committed."""
    configuration = {**consumer_configuration(settings), "auto.offset.reset": "earliest", "enable.partition.eof": True}
    configuration.pop("group.instance.id", None)
    return {**configuration, "group.id": settings.lpa.materialize_group_id, "enable.auto.offset.store": True}


def _now() -> int:
    return time.time_ns() // 1_000_000
