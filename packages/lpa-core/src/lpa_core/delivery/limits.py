"""How much a worker of a group reads ahead and writes at once, how long it waits, and how many dead letters stop it."""

from __future__ import annotations

from typing import final

import attrs

from lpa_core.delivery.commit_metadata import MAX_BYTES, MAX_SPAN
from lpa_core.delivery.partitions import PartitionState
from lpa_core.delivery.pending_range import PendingRange
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

    def check(self, state: PartitionState, pending: PendingRange) -> None:
        """Count the dead letters of a partition's next range. Raises RejectLimitError."""
        if not (self.share or self.run):
            return
        dead = {e.source.offset for e in pending.envelopes if not e.failure.quarantined}
        longest = state.rejected_run
        ignored = {record.offset for record in pending.settled.ignored}
        for offset in pending.batch.offsets:
            if offset in ignored:
                continue
            state.rejected_run = state.rejected_run + 1 if offset in dead else 0
            longest = max(longest, state.rejected_run)
        judged = len(pending.batch) - len(pending.settled.ignored)
        share = len(dead) / judged if judged else 0.0
        if self.share and share > self.share:
            raise self._reached(pending, f"{share:.0%} of a range", "QUALITY_REJECT_LIMIT_SHARE")
        if self.run and longest > self.run:
            raise self._reached(pending, f"{longest} in a row", "QUALITY_REJECT_LIMIT_CONSECUTIVE")

    @staticmethod
    def _reached(pending: PendingRange, what: str, setting: str) -> RejectLimitError:
        return RejectLimitError(
            f"{pending.batch!r}: {what} would be dead letters, more than {setting} allows: nothing "
            "of it was committed; look at the producer or the deployment, then raise the limit or start again"
        )


@final
@attrs.frozen(slots=True)
class GroupLimits:
    """When a range closes, and how much is held.

    Attributes:
        max_records, max_bytes: of a range; it spans as many offsets at most.
        max_seconds: from its first record's arrival; less where writing is quick, more where the topic holds enough to
            fill it.
        max_buffered_bytes: of records read ahead, over all partitions; reading pauses there.
        handover_seconds: how long a partition that is asked back waits for its range in work to be finished.
        stop_seconds: how long a stop waits for the same.
        progress_seconds: how long nothing may be finished while records wait.
        metadata_bytes: how many bytes of a commit's metadata the group keeps.
        rejects: how many dead letters stop the worker.
    """

    max_records: int = MAX_SPAN
    max_bytes: int = 32_000_000
    max_seconds: float = 1.0
    max_buffered_bytes: int = 96_000_000
    handover_seconds: float = 20.0
    stop_seconds: float = 30.0
    progress_seconds: float = 100.0
    metadata_bytes: int = MAX_BYTES
    rejects: RejectLimits = attrs.field(factory=RejectLimits)

    @property
    def ample_bytes(self) -> int:
        """Of records read ahead: here the largest range closes, full or not, and reading that paused goes on."""
        return self.max_buffered_bytes // 2
