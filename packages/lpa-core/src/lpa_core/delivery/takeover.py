"""How a worker begins with a partition it was given: what is committed, what is missing, what is to be repeated."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, final

import structlog

from lpa_core.dedup.store import DamagedClaimsError, DedupStoreError, LostClaimsError
from lpa_core.delivery.background_tasks import Task
from lpa_core.delivery.claims import Claims
from lpa_core.delivery.commit_metadata import DamagedMetadataError, Prepared, decode
from lpa_core.delivery.consumer_group import Commit, ConsumerGroup, Partition
from lpa_core.delivery.offset_gaps import Beginning, OffsetGaps, PartitionStoppedError
from lpa_core.delivery.partitions import PartitionState, Phase, fail
from lpa_core.delivery.stored_positions import StoredPositions
from lpa_core.delivery.worker_context import WorkerContext
from lpa_core.errors import Unavailable
from lpa_core.sinks.sink import Sink, SinkUnavailable

_AGAIN_SECONDS: Final = 1.0

_log = structlog.get_logger("lpa.delivery")


@final
class Takeover:
    """Takes partitions from STARTING to REPEATING or RUNNING, without ever waiting."""

    def __init__(
        self,
        group: ConsumerGroup,
        sinks: Sequence[Sink],
        claims: Claims,
        gaps: OffsetGaps,
        fingerprint: str,
        context: WorkerContext,
    ) -> None:
        self._group, self._sinks, self._claims = group, sinks, claims
        self._gaps = gaps
        self._fingerprint, self._context = fingerprint, context
        self._observer, self._background = context.observer, context.background
        self._beginnings: dict[PartitionState, Beginning] = {}
        self._rebuilds: dict[Partition, Task] = {}

    def advance(self, states: Sequence[PartitionState]) -> None:
        """Take each of the worker's partitions one step further, if there is one to take now.

        A server that does not answer is asked again later; ``state.why`` says what is waited for. Raises BrokerError,
        SinkMisconfigured, LostClaimsError.
        """
        for state in [state for state in self._beginnings if not state.usable]:
            del self._beginnings[state]
        for state in states:
            self._step(state, Phase.STARTING, self._begin)
        self._ask_sinks()
        for state in states:
            self._step(state, Phase.LOCATING, self._locate)
            self._step(state, Phase.REBUILDING, self._watch_rebuild)
            self._step(state, Phase.BEGINNING, self._watch_beginning)

    def _step(self, state: PartitionState, phase: Phase, step: Callable[[PartitionState], None]) -> None:
        if state.phase is not phase or not state.usable or self._background.now() < state.retry_at:
            return
        try:
            step(state)
        except LostClaimsError:
            raise
        except (Unavailable, DedupStoreError) as problem:
            _log.warning("partition cannot start yet", partition=str(state.partition), reason=str(problem))
            state.phase, state.why = Phase.STARTING, str(problem)
            if isinstance(problem, DamagedClaimsError):
                state.dedup = None  # it has let its files go; opened again, they are set aside
            state.retry_at = self._background.now() + _AGAIN_SECONDS
        except PartitionStoppedError as problem:
            fail(state, str(problem))

    def _begin(self, state: PartitionState) -> None:
        partition = state.partition
        found = self._group.committed([partition])[partition]
        span = state.span = self._group.span(partition)
        prepared = self._prepared(partition, found)
        start = self._gaps.start(partition, found, prepared, span)
        if prepared is not None and start != prepared.range.start:
            prepared = None
        self._beginnings[state] = Beginning(found, prepared, start, span)
        state.phase, state.why = Phase.LOCATING, "the sinks are asked which positions they hold"

    def _ask_sinks(self) -> None:
        """Ask about all partitions at once that have come so far."""
        new = {state.partition: each for state, each in self._beginnings.items() if each.stored is None}
        if not new:
            return
        first = {partition: beginning.unexplained for partition, beginning in new.items()}
        stored = StoredPositions(self._sinks, first, self._background)
        for beginning in new.values():
            beginning.stored = stored

    def _locate(self, state: PartitionState) -> None:
        beginning, partition = self._beginnings[state], state.partition
        assert beginning.stored is not None
        try:
            if not beginning.stored.answered():
                return
        except SinkUnavailable:
            del self._beginnings[state]
            raise
        del self._beginnings[state]
        self._context.batch_clock.stored(beginning.stored.newest)
        held = beginning.stored.of(partition)
        if held and self._group.committed([partition])[partition] != beginning.found:
            # Another worker had the partition meanwhile: what it stored is explained by what it committed.
            state.phase = Phase.STARTING
            return
        if self._emptied(state, beginning):
            start = self._gaps.start_after_loss(partition, beginning)
        else:
            start = self._gaps.start_beside(partition, beginning, held)
        if beginning.prepared is not None and start == beginning.prepared.range.start:
            state.prepared, state.committed = beginning.prepared.range, beginning.found
        else:
            state.prepared, state.committed = None, Commit(start)
        # A worker that is started again must not decide anew: the end is another one by then, and what came between
        # would be passed over, with claims of it left behind.
        state.begins_at = start if self._gaps.begins_at_end(partition, beginning.found) else None
        if state.dedup is None:
            state.dedup = self._claims.open(partition, beginning.found.offset if beginning.found else 0)
        missing = self._claims.missing_from(partition, state.dedup, start)
        if missing is None:
            self._read_on(state)
        else:
            self._rebuild(state, missing, start)

    def _prepared(self, partition: Partition, found: Commit | None) -> Prepared | None:
        try:
            prepared = decode(partition, found.metadata) if found else None
        except DamagedMetadataError as problem:
            raise PartitionStoppedError(
                f"{problem}: stop the workers and run `lpa recover offset-loss`, which finds the right offset"
            ) from None
        if prepared is not None and prepared.fingerprint != self._fingerprint:
            _log.warning(
                "a range that was prepared under other settings is repeated under these: its verdicts may differ",
                partition=str(partition),
                offsets=f"{prepared.range.start} to {prepared.range.end - 1}",
            )
        return prepared

    def _emptied(self, state: PartitionState, beginning: Beginning) -> bool:
        """Whether no sink holds any record, though there are claims, and records before what is committed.

        If there are no claims, another program has led the group so far: it is a cut-over.
        """
        assert beginning.stored is not None
        committed = beginning.found.offset if beginning.found is not None else 0
        if committed <= beginning.span.low or not beginning.stored.nothing:
            return False
        if state.dedup is None:
            state.dedup = self._claims.open(state.partition, committed)
        return state.dedup.statistics().keys > 0

    def _rebuild(self, state: PartitionState, first: int, committed: int) -> None:
        partition, store, now = state.partition, state.dedup, self._context.clock()
        assert store is not None

        def progress(share: float, keys: int) -> None:
            state.rebuilt = share
            state.why = f"claims are being rebuilt from the sink, {share:.0%} done"
            self._observer.rebuilt(partition, share, keys)

        progress(0.0, 0)
        state.phase = Phase.REBUILDING
        self._rebuilds[partition] = self._background.start(
            lambda: self._claims.rebuild(partition, store, first, committed, now, progress), f"rebuild {partition}"
        )

    def _watch_rebuild(self, state: PartitionState) -> None:
        task = self._rebuilds[state.partition]
        if not task.wait(0):
            return
        del self._rebuilds[state.partition]
        task.check()
        self._observer.rebuilt(state.partition, 1.0, 0)
        self._read_on(state)

    def _watch_beginning(self, state: PartitionState) -> None:
        if state.begins_at is None:
            self._read_on(state)

    def settled(self, state: PartitionState) -> bool:
        """Whether nothing works on the partition's store in the background."""
        task = self._rebuilds.get(state.partition)
        return task is None or task.wait(0)

    def _read_on(self, state: PartitionState) -> None:
        assert state.committed is not None
        state.buffer.clear()
        state.closed = state.committed.offset
        if state.begins_at is not None:
            state.phase, state.why = Phase.BEGINNING, f"its beginning, offset {state.begins_at}, is being committed"
            state.begin_offered = False
            return
        state.next_offset = state.prepared.start if state.prepared is not None else state.committed.offset
        self._group.start(state.partition, state.next_offset)
        if state.prepared is not None:
            state.phase, state.why = Phase.REPEATING, "a range that was prepared before is being repeated"
        else:
            state.phase, state.why = Phase.RUNNING, ""
