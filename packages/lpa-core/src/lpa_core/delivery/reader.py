"""Reading ahead into the buffers of a worker's partitions, up to a limit of memory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, final

import structlog

from lpa_core.delivery.background_tasks import Task
from lpa_core.delivery.consumer_group import ConsumerGroup, Partition
from lpa_core.delivery.limits import GroupLimits
from lpa_core.delivery.partitions import PartitionState, Phase
from lpa_core.delivery.range_steps import RangeSteps
from lpa_core.delivery.worker_context import WorkerContext
from lpa_core.records import RecordBatch

_POLL_SECONDS: Final = 0.1
_PATIENCE_SECONDS: Final = 4.0
"""How long reading waits for writing before it pauses: pausing throws away what the client has fetched ahead."""

_READING: Final = (Phase.REPEATING, Phase.RUNNING)

_log = structlog.get_logger("lpa.delivery")


@final
class Reader:
    """Fills buffers with records, and pauses partitions while writing is behind."""

    def __init__(
        self,
        group: ConsumerGroup,
        limits: GroupLimits,
        steps: RangeSteps,
        context: WorkerContext,
    ) -> None:
        self._group, self._limits, self._steps = group, limits, steps
        self._observer, self._background, self._tap = context.observer, context.background, context.tap
        self._full_since = 0.0
        self.paused = False
        """Whether reading stands still because writing does."""

    def read(self, states: Mapping[Partition, PartitionState], writing: Task | None, *, held_up: bool = False) -> None:
        """Poll the group once; where enough is held, wait for ``writing`` first. Raises BrokerError, OffsetsGoneError.

        ``held_up``: nothing is written, and what is read stays for long.
        """
        buffered = sum(state.buffer.bytes for state in states.values())
        if self.paused:
            if buffered < self._limits.ample_bytes:
                self._pause(False, states)
        elif buffered >= self._limits.max_buffered_bytes and writing is not None:
            now = self._background.now()
            self._full_since = self._full_since or now
            if now - self._full_since < _PATIENCE_SECONDS:
                writing.wait(_PATIENCE_SECONDS / 4)
                return
            self._pause(True, states)
        elif buffered >= self._limits.max_buffered_bytes and held_up:
            self._pause(True, states)
        else:
            self._full_since = 0.0
        with self._steps.timed("read"):
            batches = self._group.poll(
                self._limits.max_records, _POLL_SECONDS if writing is None else _POLL_SECONDS / 4
            )
        now = self._background.now()
        for batch in batches:
            state = states.get(Partition(batch.topic, batch.partition))
            if state is not None and state.usable and state.phase in _READING:
                self._take(state, batch, now)

    def _take(self, state: PartitionState, batch: RecordBatch, now: float) -> None:
        if batch.offsets[0] < state.next_offset:
            # Delivering them once more would move the group's offset back.
            _log.error("records came a second time and are passed over", records=repr(batch), next=state.next_offset)
            self._group.start(state.partition, state.next_offset)
            return
        state.buffer.add(batch, now)
        state.next_offset = batch.offsets[-1] + 1
        self._observer.consumed(batch)
        if self._tap is not None and self._tap.is_open:
            self._tap.read(batch)

    def _pause(self, paused: bool, states: Mapping[Partition, PartitionState]) -> None:
        self.paused = paused
        reading = [state.partition for state in states.values() if state.phase in _READING]
        (self._group.pause if paused else self._group.resume)(reading)
        self._observer.backpressure(paused)
        if paused:
            _log.warning("reading pauses until writing catches up")
