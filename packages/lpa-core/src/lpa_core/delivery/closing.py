"""When the ranges of a group's worker close. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Final, final

import attrs

from lpa_core.delivery.commit_metadata import MAX_SPAN
from lpa_core.delivery.log import Partition
from lpa_core.delivery.partitions import PartitionState, Phase
from lpa_core.delivery.reject_limits import RejectLimits

_PATIENCE: Final = 10
"""How many times older a range may grow where the log holds enough to fill it."""


@final
@attrs.frozen(slots=True)
class GroupLimits:
    """When a range closes, and how much is held.

    Attributes:
        max_records, max_bytes: of a range.
        max_seconds: from its first record's arrival; more where the log holds enough to fill it.
        max_buffered_bytes: of records read ahead, over all partitions; reading pauses there.
        handover_seconds: how long a partition that is asked back waits for its range in work to be finished.
        stop_seconds: how long a stop waits for the same.
        rejects: how many dead letters stop the worker.
    """

    max_records: int = MAX_SPAN
    max_bytes: int = 32_000_000
    max_seconds: float = 1.0
    max_buffered_bytes: int = 96_000_000
    handover_seconds: float = 20.0
    stop_seconds: float = 30.0
    rejects: RejectLimits = attrs.field(factory=RejectLimits)

    @property
    def ample_bytes(self) -> int:
        """Of records read ahead: here the largest range closes, full or not, and reading that paused goes on."""
        return self.max_buffered_bytes // 2


def due(
    states: Collection[PartitionState], limits: GroupLimits, end: Callable[[Partition], int | None], now: float
) -> list[PartitionState]:
    """The partitions whose ranges are to be closed now, the oldest first.

    A range is due when it is full or old; a range that is being repeated, when all of it is read. Under a backlog old
    is not enough: where the log holds enough to fill a range, it goes on filling, up to ten times as long. So ranges
    are large when there is much to do, and quick when there is little. Where nothing is due and much is held already,
    the largest is.

    Args:
        end: the offset behind a partition's last record, None where nobody knows.
        now: by the clock of ``Buffer.since``, seconds.
    """
    waiting = [state for state in states if state.usable and state.buffer.records]
    running = [state for state in waiting if state.phase is Phase.RUNNING]
    found = [state for state in running if _full(state, limits) or _old(state, limits, end, now)]
    found += [state for state in waiting if state.phase is Phase.REPEATING and _complete(state)]
    if not found and running and sum(state.buffer.bytes for state in waiting) >= limits.ample_bytes:
        found = [max(running, key=lambda state: state.buffer.bytes)]
    return sorted(found, key=lambda state: state.buffer.since)


def _full(state: PartitionState, limits: GroupLimits) -> bool:
    return state.buffer.records >= limits.max_records or state.buffer.bytes >= limits.max_bytes


def _old(state: PartitionState, limits: GroupLimits, end: Callable[[Partition], int | None], now: float) -> bool:
    age = now - state.buffer.since
    if age < limits.max_seconds:
        return False
    if age >= _PATIENCE * limits.max_seconds:
        return True  # what the end promises may never come: records of aborted transactions, or compacted ones
    behind = (end(state.partition) or 0) - state.next_offset
    return state.buffer.records + behind < limits.max_records


def _complete(state: PartitionState) -> bool:
    return state.prepared is not None and state.buffer.next_offset >= state.prepared.end
