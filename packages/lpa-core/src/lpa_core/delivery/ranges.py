"""The unit of delivery: a range of one partition's records."""

from __future__ import annotations

from collections.abc import Mapping
from typing import final

import attrs

from lpa_core.tables.table import Table


@final
@attrs.frozen(slots=True)
class Progress:
    """How far a partition is finished: the next offset, and where the source finds it."""

    offset: int = 0
    resume: str = ""


@final
@attrs.frozen(slots=True)
class Range:
    """What is about to be written. Together with the records it decides every row.

    Attributes:
        start, end: offsets, the end exclusive.
        count: records between them; a source may leave offsets out.
        resume: the source's own mark after the last record.
        batch_time: epoch ms; ingestion time of every row, and the time that claims are judged against.
        refused: offset -> why, for events that a sink turned down while the range was being written.
        reduced: offset -> why, for rejects whose row a sink turned down: nothing of their records is stored.
        duplicates: offsets whose dedup key another position owned when the range was prepared; None if that is
            asked of the dedup store each time.
        next_offset: where the partition goes on once the range is finished: after the end, where the source has no
            records at the offsets between.
    """

    topic: str
    partition: int
    start: int
    end: int
    count: int
    resume: str
    batch_time: int
    refused: Mapping[int, str] = attrs.field(factory=dict[int, str])
    reduced: Mapping[int, str] = attrs.field(factory=dict[int, str], kw_only=True)
    duplicates: frozenset[int] | None = None
    next_offset: int = attrs.field(default=attrs.Factory(lambda self: self.end, takes_self=True))

    def token(self, table: Table) -> str:
        """Names the block of a table.

        Holds the source's mark beside the offsets, or if there is none the batch time: another file of the same
        name, or a topic that was made again, must not have its rows taken for a repetition.
        """
        content = self.resume or self.batch_time
        return f"{self.topic}:{self.partition}:{self.start}-{self.end}:{content}:{table.name}"

    @property
    def progress(self) -> Progress:
        """How far the partition is once this range is finished."""
        return Progress(self.end, self.resume)
