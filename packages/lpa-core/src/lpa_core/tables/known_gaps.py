"""Known gaps: offsets of a partition at which there is no record to store.

Transactions end with a record that no consumer is given, aborted records are passed over, compaction and deletion leave
holes. Only a consumer that reads across them sees that nothing is there, and only while the topic has what is around
them. Records that are ignored on purpose are no less known, nor those before the place where reading was to begin, nor
those that were erased.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import Final, NamedTuple, final

from lpa_core.tables.table import Column, Kind, Table

KNOWN_GAPS_TABLE: Final = Table(
    name="known_gaps",
    columns=(
        Column("source_topic", Kind.LABEL),
        Column("source_partition", Kind.UINT32),
        Column("source_offset", Kind.UINT64),
        Column("next_offset", Kind.UINT64),
        Column("reason", Kind.LABEL),
        Column("ingestion_timestamp", Kind.TIMESTAMP),
    ),
    order_by=("source_topic", "source_partition", "source_offset"),
)


class GapReason(StrEnum):
    """Why a gap holds nothing to store."""

    NO_RECORD = "no_record"
    """A consumer that reads committed records was given none: the end of a transaction, aborted, or compacted."""
    IGNORED = "ignored"
    """A rule passes the records over (:mod:`lpa_core.validation.ignore_rules`)."""
    NOT_READ = "not_read"
    """The topic is read from its end on (QUALITY_TOPIC_RESET_STRATEGY_MAP), and this lies before."""
    ERASED = "erased"
    """`lpa erase` took the records out of tables and archives."""


@final
class OffsetSpan(NamedTuple):
    """Consecutive offsets of a partition: the first, and the one after the last."""

    first: int
    behind: int

    @property
    def size(self) -> int:
        return max(0, self.behind - self.first)


def gaps(first: int, offsets: Sequence[int], behind: int) -> Iterator[OffsetSpan]:
    """The spans from ``first`` up to ``behind`` that the offsets, which ascend, leave out."""
    if offsets and offsets[-1] - offsets[0] + 1 == len(offsets) and offsets[0] == first and offsets[-1] + 1 == behind:
        return
    expected = first
    for offset in (*offsets, behind):
        if offset > expected:
            yield OffsetSpan(expected, offset)
        expected = max(expected, offset + 1)
