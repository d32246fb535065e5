"""What an archive promises."""

from __future__ import annotations

from typing import Protocol

from lpa_core.errors import JobFailed
from lpa_core.records import RecordBatch


class ArchiveError(JobFailed):
    """The archive cannot be written. The message names the place and the remedy, in one line."""


class Archive(Protocol):
    """Keeps every record as received, bad ones too, each exactly once.

    Used by one thread at a time. Any method may raise ArchiveError.
    """

    def recover(self) -> None:
        """Finish what a killed process left half done; called once, before any write."""
        ...

    def write(self, batch: RecordBatch, batch_time: int) -> None:
        """Keep the records of one prepared range. After return they are durable.

        Ranges of a partition come in order. After a crash the same range comes again, with the
        same records and the same ``batch_time`` (epoch ms), before anything else.
        """
        ...

    def flush_due(self, now_ms: int) -> None:
        """Publish the files that are large or old enough; called between ranges."""
        ...

    def close(self) -> None:
        """Publish all open files. Closing twice is allowed."""
        ...
