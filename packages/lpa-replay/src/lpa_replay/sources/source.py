"""What a source of replay promises."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, Protocol

from lpa_replay.sources.record import Found, Selection
from lpa_replay.sources.window import Clock

RECORDS_AT_ONCE: Final = 5_000
BYTES_AT_ONCE: Final = 16 << 20


class ReplaySource(Protocol):
    """Records that can be replayed. Its end is fixed when it is opened: reading always ends.

    Opening raises ReplayRefused if the source is not there.
    """

    @property
    def name(self) -> str:
        """What ``__replay_source`` says: dlq, quarantine, archive or file."""
        ...

    @property
    def clock(self) -> Clock:
        """The clock that its windows go by if nobody says."""
        ...

    @property
    def bounds(self) -> Mapping[str, str]:
        """Where reading ends. A source that is opened with them hands over the same records."""
        ...

    def read(self, selection: Selection) -> Iterator[Sequence[Found]]:
        """At least the records that the selection takes, in an order that is always the same, some at a time.

        Raises ReplayError, BrokerUnavailable, SinkUnavailable, ArchiveError, SourceError.
        """
        ...

    def missed(self, selection: Selection) -> int:
        """How many records the selection would take by its other clock only, of those that :meth:`read` leaves out."""
        ...

    def close(self) -> None: ...
