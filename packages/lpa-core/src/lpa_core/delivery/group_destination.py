"""Where the ranges of a group's worker go: sinks, archive, and the topics that hear of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import final

import attrs

from lpa_core.delivery.consumer_group import OutgoingRecord
from lpa_core.delivery.pending_range import PendingRange
from lpa_core.pipeline.reject_envelope import RejectEnvelope
from lpa_core.sinks.archive import Archive
from lpa_core.sinks.sink import Sink


@final
@attrs.frozen(eq=False)
class GroupDestination:
    """The places that take a range.

    Attributes:
        publish: makes the record of a reject.
        announce: what else is published with the finish of a range.
    """

    sinks: Sequence[Sink]
    publish: Callable[[RejectEnvelope], OutgoingRecord]
    announce: Callable[[PendingRange], Sequence[OutgoingRecord]] = lambda pending: ()
    archive: Archive | None = None

    def records(self, pending: PendingRange) -> Sequence[OutgoingRecord]:
        """What is published with the finish of the range."""
        return [*map(self.publish, pending.envelopes), *self.announce(pending)]
