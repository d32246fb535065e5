"""A worker of a consumer group: reads the partitions it is given, and delivers each of their records exactly once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from typing import Final, final

import structlog

from lpa_core.dedup.store import DamagedClaimsError
from lpa_core.delivery.background_tasks import Task
from lpa_core.delivery.claims import Claims, DedupStores
from lpa_core.delivery.commit_metadata import CommitFormat
from lpa_core.delivery.consumer_group import (
    BrokerUnavailable,
    CommitUncertainError,
    ConsumerGroup,
    ForbiddenError,
    OffsetsGoneError,
    Partition,
)
from lpa_core.delivery.cycle_claims import CycleClaims
from lpa_core.delivery.group_destination import GroupDestination
from lpa_core.delivery.limits import GroupLimits
from lpa_core.delivery.offset_gaps import GapPolicy, OffsetGaps
from lpa_core.delivery.partitions import PartitionState, Phase
from lpa_core.delivery.pending_range import Delivery
from lpa_core.delivery.range_builder import RangeBuilder
from lpa_core.delivery.range_steps import RangeSteps
from lpa_core.delivery.reader import Reader
from lpa_core.delivery.standstill import Standstill
from lpa_core.delivery.takeover import Takeover
from lpa_core.delivery.worker_context import WorkerContext
from lpa_core.delivery.worker_gauges import WorkerGauges
from lpa_core.delivery.writer import Writer
from lpa_core.pipeline.pipeline import Pipeline
from lpa_core.sinks.sink import SupportsInterrupt, gathering

_LOOK_SECONDS: Final = 0.1
_SESSION_AGAIN_SECONDS: Final = 1.0
_log = structlog.get_logger("lpa.delivery")


BeforeLeaving = Callable[[Mapping[Partition, PartitionState], ConsumerGroup], None]


@final
class GroupWorker:
    """Shares the partitions of its topics with the other workers of its consumer group.

    Its own thread reads, judges, claims and builds blocks. Beside it one cycle of ranges is prepared, written and
    finished. What is known of a partition comes from the group alone: if a commit's outcome is unknown, the session is
    abandoned and a new one starts.
    """

    def __init__(
        self,
        new_session: Callable[[], ConsumerGroup],
        topics: Sequence[str],
        pipeline: Pipeline,
        stores: DedupStores,
        destination: GroupDestination,
        *,
        limits: GroupLimits,
        gap_policy: GapPolicy = GapPolicy.FAIL,
        from_end: Collection[str] = (),
        fingerprint: str = "",
        context: WorkerContext | None = None,
        before_leaving: BeforeLeaving = lambda states, group: None,
    ) -> None:
        """``new_session`` begins a session.

        ``from_end``: those of the topics that are read from their end on if nothing of them is committed.
        ``before_leaving`` is shown the partitions and the group when the worker stops as told: the stores are open,
        and nothing works on them.
        """
        self._new_session, self._topics, self._destination = new_session, tuple(topics), destination
        self._limits, self._before_leaving = limits, before_leaving
        self._format = CommitFormat(fingerprint, limits.metadata_bytes)
        self._context = context or WorkerContext()
        self._observer, self._background = self._context.observer, self._context.background
        self._claims = Claims(stores, destination.sinks)
        self._gaps = OffsetGaps(gap_policy, destination.sinks, self._claims, from_end)
        self._steps = RangeSteps(pipeline, destination.sinks, self._observer.spent)
        self._cycle_claims = CycleClaims(self._steps, limits.rejects, self._context)
        self._stopping = threading.Event()
        self._states: dict[Partition, PartitionState] = {}
        self._unclaimed: list[Delivery] = []
        self._offered = False
        self._task: Task | None = None
        self.turned_at = self._background.now()
        """When the loop turned last, by the background's clock."""
        self.standstill = Standstill(limits.progress_seconds, self._background.now)
        self._gauges = WorkerGauges(self._steps, self.standstill, self._context)
        self.backpressured = False
        """Whether reading stands still because writing does."""
        self.left: Mapping[Partition, PartitionState] = {}
        """The partitions that it held when it stopped, as they were then."""
        self.joined = False
        """Whether the worker is a member of the group and knows its partitions, even if it has none."""
        self._was_joined = False

    @property
    def waiting_for_dedup(self) -> str:
        """Why claims cannot be made, while they cannot."""
        return self._cycle_claims.waiting_for

    def stop(self) -> None:
        """Ask the run to end; the ranges in work are finished if that takes no longer than the limit."""
        self._stopping.set()

    @property
    def stopping(self) -> bool:
        return self._stopping.is_set()

    @property
    def states(self) -> Mapping[Partition, PartitionState]:
        """The worker's partitions, to look at."""
        return dict(self._states)

    def run(self) -> None:
        """Deliver until :meth:`stop`.

        Raises BrokerError, ForbiddenError after some patience, SinkUnavailable, SinkMisconfigured, DedupStoreError,
        ArchiveError, RejectLimitError. What was not finished is finished by the worker that gets the partitions next.
        """
        if self._destination.archive is not None:
            self._destination.archive.recover()
        try:
            while not self._stopping.is_set():
                self.turned_at = self._background.now()
                try:
                    self._session()
                except CommitUncertainError as uncertain:
                    _log.warning("the session is abandoned and a new one begins", reason=str(uncertain))
                    self.standstill.hindered(str(uncertain))
                except DamagedClaimsError as damage:
                    # Opened again, they are set aside and rebuilt, or the partition says what is to be done.
                    _log.warning("the session is abandoned and a new one begins", reason=str(damage))
                    self.standstill.hindered(str(damage))
                    self._background.sleep(_SESSION_AGAIN_SECONDS)
                except (BrokerUnavailable, ForbiddenError) as unavailable:
                    if not self._was_joined:
                        raise
                    _log.warning("waiting for the broker", reason=str(unavailable))
                    if isinstance(unavailable, ForbiddenError):
                        self.standstill.refused(unavailable)
                    else:
                        self.standstill.hindered(str(unavailable))
                    self._background.sleep(_SESSION_AGAIN_SECONDS)
        finally:
            self._claims.close()

    def _session(self) -> None:
        self.joined = False
        self._group = self._new_session()
        sinks = self._destination.sinks
        self._takeover = Takeover(self._group, sinks, self._claims, self._gaps, self._format.fingerprint, self._context)
        self._writer = Writer(
            self._group,
            self._destination,
            self._claims,
            self._steps,
            self._format,
            self.standstill,
            self._context,
        )
        self._reader = Reader(self._group, self._limits, self._steps, self._context)
        self._builder = RangeBuilder(
            self._group, self._limits, self._steps, self._context, together=bool(gathering(sinks))
        )
        self._unclaimed, self._task, self._offered = [], None, False
        self.backpressured = False
        self._observer.backpressure(False)
        try:
            self._group.join(self._topics, self)
            while not self._stopping.is_set():
                self._turn()
            self._wind_up()
        finally:
            self._abandon()

    def _turn(self) -> None:
        self.turned_at = self._background.now()
        self._takeover.advance(tuple(self._states.values()))
        self._watch_writer()
        if not self._offered and not self._unclaimed:
            self._unclaimed = self._builder.cycle(
                self._states.values(), writing=self._task is not None, took=self._writer.took
            )
        self._claim_and_offer()
        try:
            held_up = bool(self._builder.clock_wrong or self.waiting_for_dedup)
            self._reader.read(self._states, self._task, held_up=held_up)
        except OffsetsGoneError as gone:
            self._begin_again(gone.partition)
        self.backpressured = self._reader.paused
        if self._gauges.due():
            self._measure()

    def _measure(self) -> None:
        self._gauges.take(self._group, tuple(self._states.values()), joined=self.joined)

    def _begin_again(self, partition: Partition) -> None:
        state = self._states.get(partition)
        if state is not None and state.phase in (Phase.REPEATING, Phase.RUNNING):
            state.buffer.clear()
            if not self._writer.works_on([state]) and not self._holds(state):
                state.phase, state.why = Phase.STARTING, "the offset to read is gone"

    def _holds(self, state: PartitionState) -> bool:
        return self._offered or any(delivery.state is state for delivery in self._unclaimed)

    # From records to a cycle.

    def _claim_and_offer(self) -> None:
        cycle = self._cycle_claims.make(self._unclaimed) if self._unclaimed else None
        if cycle is None:
            return
        self._unclaimed = []
        if not cycle:
            return
        self._writer.offer(cycle)
        self._offered = True
        self._watch_writer()

    # Writing.

    def _watch_writer(self) -> None:
        """See how the writer fares, and let it go on."""
        if self._task is not None and self._task.wait(0):
            self._task.check()
            self._task = None
        if self._offered and (self._task is None or not self._writer.has_offer):
            if self._task is None:
                self._task = self._background.start(self._writer.run, "write")
            self._offered = self._writer.has_offer

    def _wind_up(self) -> None:
        """Finish what is being written, within the limit."""
        self._writer.withdraw()
        deadline = self._background.now() + self._limits.stop_seconds
        while self._task is not None and self._background.now() < deadline:
            if self._task.wait(_LOOK_SECONDS):
                break
            self._group.poll(1, 0)
        if self._task is not None and self._task.wait(0):
            self._task.check()
            self._task = None
        with suppress(BrokerUnavailable):
            self._measure()
        self.left = self.states
        if self._task is None:
            self._before_leaving(self.states, self._group)
        else:
            _log.warning("the ranges in work are abandoned; the worker that gets the partitions next repeats them")

    def _abandon(self) -> None:
        """Let go of everything; after this, nothing is written any more but what is on its way to a sink."""
        self._writer.withdraw()
        for state in self._states.values():
            state.gone = True
        if self._task is not None and not self._task.wait(0):
            for sink in self._destination.sinks:
                if isinstance(sink, SupportsInterrupt):
                    sink.interrupt()
            # A sink is used by one thread at a time: another session has to wait for this one's.
            while not self._task.wait(1) and not self._stopping.is_set():
                _log.warning("waiting for the sink to let go")
        self._task = None  # leaving the group must not wait for it any more
        with suppress(Exception):
            self._group.close()
        for state in tuple(self._states.values()):
            self._forget(state)

    # Being given partitions, and giving them up (called from within the group's poll).

    def assigned(self, partitions: Collection[Partition]) -> None:
        self.joined = self._was_joined = True
        for partition in partitions:
            self._states[partition] = PartitionState(partition)
        self._observer.rebalanced(sorted(self._states))
        _log.info("partitions assigned", partitions=[str(p) for p in sorted(partitions)])

    def revoked(self, partitions: Collection[Partition]) -> None:
        states = [self._states[partition] for partition in partitions if partition in self._states]
        for state in states:
            state.leaving = True
        deadline = self._background.now() + self._limits.handover_seconds
        while self._writer.works_on(states) and self._task is not None and self._background.now() < deadline:
            if self._task.wait(_LOOK_SECONDS):
                break
        self._give_up(states)
        _log.info("partitions revoked", partitions=[str(p) for p in sorted(partitions)])

    def lost(self, partitions: Collection[Partition]) -> None:
        self._give_up([self._states[partition] for partition in partitions if partition in self._states])
        _log.warning("partitions lost to another worker", partitions=[str(p) for p in sorted(partitions)])

    def _give_up(self, states: Sequence[PartitionState]) -> None:
        for state in states:
            state.gone = True
            self._forget(state)
        self._observer.rebalanced(sorted(self._states))

    def _forget(self, state: PartitionState) -> None:
        self._states.pop(state.partition, None)
        store, state.dedup = state.dedup, None
        if store is not None and self._takeover.settled(state) and not self._writer.works_on([state]):
            self._claims.release(store)
