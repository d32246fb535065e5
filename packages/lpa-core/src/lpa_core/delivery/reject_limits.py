"""Stopping before a flood of dead letters."""

from __future__ import annotations

from typing import final

import attrs

from lpa_core.delivery.candidate import Candidate
from lpa_core.delivery.partitions import PartitionState
from lpa_core.errors import JobFailed


class RejectLimitError(JobFailed):
    """Too many records of a partition were dead-lettered; nothing of the range that showed it was written."""


@final
@attrs.frozen(slots=True)
class RejectLimits:
    """How many dead letters are too many.

    Attributes:
        share: of a range's records; 0: off.
        run: in a row in a partition; 0: off.
    """

    share: float = 0.0
    run: int = 0

    def check(self, state: PartitionState, candidate: Candidate) -> None:
        """Count the dead letters of a partition's next range. Raises RejectLimitError."""
        if not (self.share or self.run):
            return
        dead = {e.source.offset for e in candidate.envelopes if not e.failure.quarantined}
        longest = state.rejected_run
        for offset in candidate.batch.offsets:
            state.rejected_run = state.rejected_run + 1 if offset in dead else 0
            longest = max(longest, state.rejected_run)
        share = len(dead) / len(candidate.batch)
        if self.share and share > self.share:
            raise self._reached(candidate, f"{share:.0%} of a range", "QUALITY_REJECT_LIMIT_SHARE")
        if self.run and longest > self.run:
            raise self._reached(candidate, f"{longest} in a row", "QUALITY_REJECT_LIMIT_CONSECUTIVE")

    @staticmethod
    def _reached(candidate: Candidate, what: str, setting: str) -> RejectLimitError:
        return RejectLimitError(
            f"{candidate.batch!r}: {what} would be dead letters, more than {setting} allows: nothing "
            "of it was committed; look at the producer or the deployment, then raise the limit or start again"
        )
