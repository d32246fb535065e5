"""The way of a cycle from judged ranges to blocks: claims first, because they decide what is a duplicate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, final

import structlog

from lpa_core.dedup.store import DedupStoreUnavailable
from lpa_core.delivery.limits import RejectLimitError, RejectLimits
from lpa_core.delivery.observer import Step
from lpa_core.delivery.pending_range import Delivery, fix_duplicates
from lpa_core.delivery.range_steps import RangeSteps
from lpa_core.delivery.worker_context import WorkerContext

_AGAIN_SECONDS: Final = 1.0

_log = structlog.get_logger("lpa.delivery")


@final
class CycleClaims:
    """Claims the keys of a cycle's events and builds its blocks, without waiting for a dedup store that is away."""

    def __init__(self, steps: RangeSteps, limits: RejectLimits, context: WorkerContext) -> None:
        self._steps, self._limits = steps, limits
        self._observer, self._background, self._tap = context.observer, context.background, context.tap
        self._again_at = 0.0
        self.waiting_for = ""
        """Why claims cannot be made, while they cannot."""

    def make(self, cycle: Sequence[Delivery]) -> list[Delivery] | None:
        """The ranges of the cycle that are still the worker's, with blocks; None if it is too early to ask again.

        Raises RejectLimitError, DedupStoreError.
        """
        if self._background.now() < self._again_at:
            return None
        ours = [delivery for delivery in cycle if delivery.state.usable]
        try:
            for delivery in ours:
                self._claim(delivery)
        except DedupStoreUnavailable as unavailable:
            if not self.waiting_for:
                _log.warning("waiting for the dedup store", reason=str(unavailable))
            self.waiting_for = str(unavailable)
            self._again_at = self._background.now() + _AGAIN_SECONDS
            return None
        self.waiting_for = ""
        for delivery in ours:
            self._steps.build_blocks(delivery.pending)
            if not delivery.repeated and delivery.pending.range.count:  # one that was prepared before is past that
                self._check_rejects(delivery)
        return ours

    def _claim(self, delivery: Delivery) -> None:
        if not delivery.pending.range.count:
            return
        store, pending = delivery.state.dedup, delivery.pending
        assert store is not None
        self._steps.claim(pending, store)
        if pending.range.duplicates is None:
            fix_duplicates(pending)
        duplicates = pending.range.duplicates or ()
        self._observer.claimed(len(pending.verdicts), len(duplicates))
        self._observer.step(Step.CLAIMED, pending.range)
        if self._tap is not None and self._tap.is_open:
            self._tap.claimed(pending)

    def _check_rejects(self, delivery: Delivery) -> None:
        """Stop before anything of the range is committed, if there are too many."""
        try:
            self._limits.check(delivery.state, delivery.pending)
        except RejectLimitError:
            self._observer.rejects_limited(delivery.state.partition)
            raise
