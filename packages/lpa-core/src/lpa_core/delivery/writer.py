"""Prepare, write, finish, for the partitions of a group (one cycle after the other, beside the worker's own loop)."""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from contextlib import suppress
from typing import Final, final

import structlog

from lpa_core.dedup.store import DedupStoreError, DedupStoreUnavailable
from lpa_core.delivery.blocks import by_table
from lpa_core.delivery.claims import Claims, patiently
from lpa_core.delivery.commit_metadata import CommitFormat
from lpa_core.delivery.consumer_group import (
    BrokerUnavailable,
    Commit,
    CommitUncertainError,
    ConsumerGroup,
    FencedError,
    OutgoingRecord,
    Partition,
)
from lpa_core.delivery.group_destination import GroupDestination
from lpa_core.delivery.observer import Step
from lpa_core.delivery.partitions import PartitionState
from lpa_core.delivery.pending_range import (
    Delivery,
    claim,
    fix_duplicates,
    give_back,
    withdraw_refused,
    write,
)
from lpa_core.delivery.range_steps import RangeSteps
from lpa_core.delivery.standstill import Standstill
from lpa_core.delivery.worker_context import WorkerContext
from lpa_core.sinks.sink import RowsRefused, Sink, gathering
from lpa_core.tables.table import Block

_PATIENCE_SECONDS: Final = 60.0
"""How long a commit is tried again before the session is abandoned."""

_log = structlog.get_logger("lpa.delivery")


class _NotOurs(Exception):
    """The worker gave the partition back while a range was being written."""


@final
class Writer:
    """Delivers cycles: ranges of different partitions, prepared by one commit and finished by one.

    What finishes a cycle prepares the next, where that is ready: one transaction a cycle. Into sinks that gather, the
    ranges of a cycle are written together, one insert a table; whatever of them has to be written again, is completed
    range by range.
    """

    def __init__(
        self,
        group: ConsumerGroup,
        destination: GroupDestination,
        claims: Claims,
        steps: RangeSteps,
        commit_format: CommitFormat,
        standstill: Standstill,
        context: WorkerContext,
    ) -> None:
        self._group, self._destination, self._claims = group, destination, claims
        self._sinks, self._archive = destination.sinks, destination.archive
        self._gathering = gathering(destination.sinks)
        self._steps, self._format, self._standstill = steps, commit_format, standstill
        self._observer, self._background, self._tap = context.observer, context.background, context.tap
        self._slot = threading.Lock()
        self._ready: list[Delivery] = []
        self._current: list[Delivery] = []
        self.took = math.inf
        """Seconds from preparing the newest cycle that is finished to finishing it; infinite before there is one."""

    def offer(self, cycle: list[Delivery]) -> None:
        """Have a cycle ready for when the one in work is finished."""
        with self._slot:
            self._ready = cycle

    def withdraw(self) -> list[Delivery]:
        """Take back what was offered and is not started."""
        with self._slot:
            ready, self._ready = self._ready, []
            return ready

    @property
    def has_offer(self) -> bool:
        """Whether what was offered is not started yet."""
        with self._slot:
            return bool(self._ready)

    def works_on(self, partitions: Sequence[PartitionState]) -> bool:
        """Whether a range of one of these is being delivered, or about to be."""
        with self._slot:
            return any(delivery.state in partitions for delivery in self._current)

    def run(self) -> None:
        """Deliver what was offered, and what is offered meanwhile.

        Raises CommitUncertainError, SinkUnavailable, SinkMisconfigured, ArchiveError, BrokerError, DedupStoreError.
        """
        finished: list[Delivery] = []
        began = self._background.now()
        while True:
            following = self._next(finished)
            begins = self._background.now()
            if finished or following:
                self._commit(finished, following)
            if finished:
                self.took = self._background.now() - began
            began = begins
            with self._slot:
                self._current = following
            if not following:
                return
            finished = self._deliver(following)

    def _next(self, finished: Sequence[Delivery]) -> list[Delivery]:
        with self._slot:
            following, self._ready = self._ready, []
            following = [delivery for delivery in following if delivery.state.usable]
            self._current = [*finished, *following]
        if any(delivery.pending.range.refused for delivery in finished):
            for delivery in following:
                if not delivery.repeated:
                    self._judge_again(delivery)
        return following

    def _judge_again(self, delivery: Delivery) -> None:
        """A key that was found taken may have been given back."""
        store = delivery.state.dedup
        assert store is not None
        with self._steps.dedup_lock:
            patiently(lambda: claim(delivery.pending, store), self._background)
        fix_duplicates(delivery.pending)
        self._steps.build_blocks(delivery.pending)

    def _deliver(self, cycle: Sequence[Delivery]) -> list[Delivery]:
        """Write prepared ranges; answer those that are written whole."""
        together = [delivery for delivery in cycle if self._gathering and not delivery.repeated]
        if len(together) < 2:
            return [delivery for delivery in cycle if self._begin(delivery) and self._write(delivery)]
        begun = [delivery for delivery in cycle if self._begin(delivery)]
        written = self._write_together([delivery for delivery in begun if not delivery.repeated])
        return [delivery for delivery in begun if delivery in written or self._write(delivery)]

    def _begin(self, delivery: Delivery) -> bool:
        """What comes before writing; return whether the range is still ours."""
        pending = delivery.pending
        if delivery.state.gone:
            return False
        if pending.range.count:
            self._observer.step(Step.PREPARED, pending.range)
        if self._archive is not None and pending.range.count:
            with self._steps.timed("archive"):
                self._archive.flush_due(pending.range.batch_time)
                self._archive.write(self._steps.archived(pending), pending.range.batch_time)
            self._observer.step(Step.ARCHIVED, pending.range)
        return True

    def _write_together(self, deliveries: Sequence[Delivery]) -> Sequence[Delivery]:
        """Write ranges, one insert a table; answer those that are written whole.

        Where a sink refuses some rows, all of them are to be repeated.
        """
        owners = {block.token: delivery for delivery in deliveries for block in delivery.pending.blocks}
        with self._steps.timed("write"):
            for blocks in by_table(block for delivery in deliveries for block in delivery.pending.blocks):
                for sink in self._gathering:
                    ours = [block for block in blocks if not owners[block.token].state.gone]
                    try:
                        sink.write_together(ours)
                    except RowsRefused:
                        for delivery in deliveries:
                            delivery.repeated = True
                        return []
                    for block in ours:
                        self._told_of(owners[block.token], block, sink)
        return deliveries

    def _write(self, delivery: Delivery) -> bool:
        """Write a prepared range; return whether it is written whole."""
        pending, state = delivery.pending, delivery.state
        try:
            self._ours(state)
            with self._steps.timed("write"):
                if delivery.repeated and pending.range.refused:
                    withdraw_refused(
                        pending, self._sinks
                    )  # whoever wrote that they were refused may not have come to it
                write(
                    pending,
                    self._sinks,
                    lambda refused: self._refuse(delivery),
                    lambda block, sink: self._written(delivery, block, sink),
                    repeated=delivery.repeated,
                )
        except _NotOurs:
            return False
        if pending.range.refused:
            store = state.dedup
            assert store is not None
            with self._steps.dedup_lock:
                patiently(lambda: give_back(pending, store), self._background)
        return True

    def _ours(self, state: PartitionState) -> None:
        if state.gone:
            raise _NotOurs

    def _written(self, delivery: Delivery, block: Block, sink: Sink) -> None:
        self._told_of(delivery, block, sink)
        self._ours(delivery.state)

    def _told_of(self, delivery: Delivery, block: Block, sink: Sink) -> None:
        self._observer.wrote(block, sink)
        if delivery.pending.range.count:
            self._observer.step(Step.WRITTEN, delivery.pending.range)

    def _refuse(self, delivery: Delivery) -> None:
        """Turn refused events into rejects: write that down, then take back what other tables have of them."""
        delivery.pending.range = self._format.fitting(delivery.pending.range)
        self._commit([], [delivery])
        self._ours(delivery.state)
        withdraw_refused(delivery.pending, self._sinks)
        self._steps.build_blocks(delivery.pending)

    def _commit(self, finished: Sequence[Delivery], prepared: list[Delivery]) -> None:
        """Finish some ranges and prepare others, all in one; what is no longer ours drops out of ``prepared``."""
        patient_until = self._background.now() + _PATIENCE_SECONDS
        while True:
            with self._steps.timed("finish" if finished else "prepare"):
                try:
                    # The proof comes first: whoever gets a partition that is found ours after it makes it worthless.
                    membership = self._group.membership()
                    finished = [delivery for delivery in finished if not delivery.state.gone]
                    prepared[:] = [delivery for delivery in prepared if not delivery.state.gone]
                    if not finished and not prepared:
                        return
                    commits = self._commits(finished, prepared)
                    if commits:
                        self._group.commit(membership, commits, self._published(finished))
                    break
                except FencedError:
                    self._observer.fenced()
                    problem = "the consumer group is being shared out again"
                except BrokerUnavailable as unavailable:
                    problem = str(unavailable)
            self._standstill.hindered(problem)
            if all(delivery.state.gone for delivery in (*finished, *prepared)):
                prepared.clear()
                return
            if self._background.now() > patient_until:
                raise CommitUncertainError(f"no commit for {_PATIENCE_SECONDS:.0f} seconds: {problem}")
            self._background.sleep(0.1)
        for delivery in finished:
            self._finish(delivery)
        for delivery in prepared:
            delivery.state.prepared = delivery.pending.range

    def _commits(self, finished: Sequence[Delivery], prepared: Sequence[Delivery]) -> dict[Partition, Commit]:
        commits = {d.state.partition: Commit(d.pending.range.next_offset) for d in finished}
        for delivery in prepared:
            if not delivery.pending.range.count:
                continue  # gaps alone: nothing to repeat, and what is written of them is true whoever writes it
            partition, committed = delivery.state.partition, delivery.state.committed
            assert committed is not None
            unchanged = commits.get(partition, committed)
            metadata = self._format.encode(delivery.pending.range)
            commits[partition] = Commit(unchanged.offset, metadata)
        return commits

    def _published(self, finished: Sequence[Delivery]) -> list[OutgoingRecord]:
        return [record for delivery in finished for record in self._destination.records(delivery.pending)]

    def _finish(self, delivery: Delivery) -> None:
        pending, state = delivery.pending, delivery.state
        state.committed, state.prepared, state.begins_at = Commit(pending.range.next_offset), None, None
        self._standstill.finished()
        self._mark(state, pending.range.next_offset)
        if not pending.range.count:
            return
        self._observer.finished(pending.settled, pending.blocks, pending.range)
        self._observer.step(Step.FINISHED, pending.range)
        if self._tap is not None and self._tap.is_open:
            self._tap.written(pending)

    def _mark(self, state: PartitionState, through: int) -> None:
        store = state.dedup
        # A mark that is missing costs a rebuild; whatever is wrong with the store shows at the next claim.
        with suppress(DedupStoreUnavailable, DedupStoreError), self._steps.dedup_lock:
            if store is not None:  # the partition may be another worker's by now
                self._claims.mark(state.partition, store, through)
