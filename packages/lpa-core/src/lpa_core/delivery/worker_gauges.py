"""What a worker of a group measures now and then: how far behind it is, its dedup stores, whether it stands still."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from typing import Final, final

from lpa_core.dedup.store import DedupStoreUnavailable
from lpa_core.delivery.consumer_group import ConsumerGroup
from lpa_core.delivery.partitions import PartitionState, Phase
from lpa_core.delivery.range_steps import RangeSteps
from lpa_core.delivery.standstill import Standstill
from lpa_core.delivery.worker_context import WorkerContext

_SECONDS: Final = 5.0


@final
class WorkerGauges:
    """Takes the measures every few seconds, and tells the observer."""

    def __init__(self, steps: RangeSteps, standstill: Standstill, context: WorkerContext) -> None:
        self._steps, self._standstill = steps, standstill
        self._observer, self._background = context.observer, context.background
        self._at = 0.0

    def due(self) -> bool:
        return self._background.now() >= self._at

    def take(self, group: ConsumerGroup, states: Collection[PartitionState], *, joined: bool) -> None:
        """Measure now. ``joined``: the worker knows its partitions. Raises BrokerUnavailable."""
        self._at = self._background.now() + _SECONDS
        for state in states:
            state.end = group.end(state.partition) or state.end
            if state.end is not None and state.committed is not None:
                self._observer.lagging(state.partition, max(0, state.end - state.committed.offset))
        if joined:
            self._look_for_standstill(states)
        stores = {id(state.dedup): state.dedup for state in states if state.phase is Phase.RUNNING}
        with suppress(DedupStoreUnavailable), self._steps.dedup_lock:
            self._observer.dedup_stores([store.statistics() for store in stores.values() if store is not None])

    def _look_for_standstill(self, states: Collection[PartitionState]) -> None:
        running = (Phase.RUNNING, Phase.FAILED)  # what is with the others, their states say
        seen = {
            state.partition: (state.committed.offset, state.next_offset, (state.end or 0) > state.committed.offset)
            for state in states
            if state.phase is Phase.RUNNING and state.committed is not None
        }
        self._standstill.look(seen, whole=all(state.phase in running for state in states))
