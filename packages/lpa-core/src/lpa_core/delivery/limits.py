"""How much a worker of a group reads ahead and writes at once, and how long it waits."""

from __future__ import annotations

from typing import final

import attrs

from lpa_core.delivery.commit_metadata import MAX_BYTES, MAX_SPAN
from lpa_core.delivery.reject_limits import RejectLimits


@final
@attrs.frozen(slots=True)
class GroupLimits:
    """When a range closes, and how much is held.

    Attributes:
        max_records, max_bytes: of a range; it spans as many offsets at most.
        max_seconds: from its first record's arrival; less where writing is quick, more where the log holds enough to
            fill it.
        max_buffered_bytes: of records read ahead, over all partitions; reading pauses there.
        handover_seconds: how long a partition that is asked back waits for its range in work to be finished.
        stop_seconds: how long a stop waits for the same.
        progress_seconds: how long nothing may be finished while records wait.
        metadata_bytes: of a commit, as far as the log keeps them.
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
