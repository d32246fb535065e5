"""Where to begin with a partition whose committed offset is gone, or does not agree with what sinks hold."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from enum import StrEnum
from typing import Final, final

import attrs
import structlog

from lpa_core.delivery.claims import Claims
from lpa_core.delivery.commit_metadata import Prepared
from lpa_core.delivery.consumer_group import Commit, Partition, ReadableOffsets
from lpa_core.delivery.stored_positions import Holding, StoredPositions
from lpa_core.errors import JobFailed
from lpa_core.sinks.sink import Sink, SupportsKnownGaps
from lpa_core.tables.known_gaps import OffsetSpan

_DELETED: Final = (
    "records were deleted before they were read",
    "set QUALITY_OFFSET_GAP_POLICY to earliest to go on with what the topic still holds, and replay the others from an "
    "archive; or to latest to leave out what it holds, too",
)
_MADE_ANEW: Final = (
    "the topic was truncated or deleted and made again",
    "set QUALITY_OFFSET_GAP_POLICY to earliest to read all that it holds now, or to latest to leave it out",
)
"""A cause, and what to do, what loses nothing first."""
_DELETED_WHILE_WRITTEN: Final = (
    "records were deleted while they were being written",
    "stop the workers and run `lpa recover offset-loss`: what the topic still holds is read again",
)

_log = structlog.get_logger("lpa.delivery")


class GapPolicy(StrEnum):
    """What to do where the committed offset is gone from the partition, or does not agree with what sinks hold."""

    FAIL = "fail"
    """Leave the partition alone until a person decides."""
    EARLIEST = "earliest"
    """Skip nothing that the partition holds: what sinks hold of it already is stored again."""
    LATEST = "latest"
    """Go on at the partition's end; where sinks hold more than is committed, behind what they hold."""


class PartitionStoppedError(JobFailed):
    """A partition needs a person. One line: what is wrong, and what to do."""


@final
@attrs.define(slots=True, eq=False)
class Beginning:
    """Where a partition is to be read from, unless the sinks hold more of it than they should."""

    found: Commit | None
    prepared: Prepared | None
    """The range to repeat first."""
    start: int
    span: ReadableOffsets
    stored: StoredPositions | None = None

    @property
    def unexplained(self) -> int:
        """The first offset of which no sink can have rows: they are written only once a range is prepared."""
        if self.found is None:
            return 0
        return self.start if self.prepared is None else self.prepared.range.end


@final
class OffsetGaps:
    """Decides where to begin, by the policy. Methods raise PartitionStoppedError if a person has to decide."""

    def __init__(
        self, policy: GapPolicy, sinks: Sequence[Sink], claims: Claims, from_end: Collection[str] = ()
    ) -> None:
        """``from_end``: topics that are read from their end on if nothing of them is committed."""
        self._policy, self._sinks, self._claims, self._from_end = policy, sinks, claims, from_end

    def start(
        self, partition: Partition, found: Commit | None, prepared: Prepared | None, span: ReadableOffsets
    ) -> int:
        """Where to begin, going by what is committed."""
        if found is None:
            return span.high if self.begins_at_end(partition, found) else span.low
        start, end = (prepared.range.start, prepared.range.end) if prepared else (found.offset, found.offset)
        if span.low <= start and end <= span.high:
            return start
        deleted = start < span.low
        if deleted and prepared is None and self._is_gap(partition, OffsetSpan(start, span.low)):
            return span.low
        cause, remedy = (_DELETED_WHILE_WRITTEN if prepared else _DELETED) if deleted else _MADE_ANEW
        return self._gap(
            span,
            f"{partition}: offset {start} is committed, but the topic holds {span.low} to {span.high - 1}: {cause}",
            remedy,
        )

    def begins_at_end(self, partition: Partition, found: Commit | None) -> bool:
        """Whether what the partition holds now is passed over."""
        return found is None and partition.topic in self._from_end

    def start_beside(self, partition: Partition, beginning: Beginning, held: Sequence[Holding]) -> int:
        """Where to begin, knowing what sinks hold that is not explained by what is committed."""
        if held:
            return self._stored_gap(partition, beginning, held)
        through = self._claims.through(partition)
        stored_nowhere = beginning.stored is not None and beginning.stored.from_all
        if beginning.found is not None or stored_nowhere or through <= beginning.span.low:
            return beginning.start
        return self._gap(
            beginning.span,
            f"{partition}: no offset is committed, but this machine knows it as finished up to {through}: "
            + _cause(beginning),
            "stop the workers and run `lpa recover offset-loss`, which finds the right offset; or set "
            "QUALITY_OFFSET_GAP_POLICY to earliest to read all that the topic holds, or to latest to leave it out",
        )

    def start_after_loss(self, partition: Partition, beginning: Beginning) -> int:
        """Where to begin if the sinks have lost what is committed."""
        what = (
            f"{partition}: {_committed(beginning)} and there are claims, but no sink holds any record: "
            "the database was lost or emptied"
        )
        if self._policy is GapPolicy.FAIL:
            raise PartitionStoppedError(
                f"{what}; stop the workers and run `lpa recover total-loss`, which brings it back; without any backup, "
                "`lpa recover offset-loss` has what the topic still holds read again; to go on from there with empty "
                "tables, set QUALITY_OFFSET_GAP_POLICY to latest"
            )
        where = beginning.span.low if self._policy is GapPolicy.EARLIEST else beginning.start
        self._decided(what, where)
        return where

    def _stored_gap(self, partition: Partition, beginning: Beginning, held: Sequence[Holding]) -> int:
        furthest = max(held, key=lambda holding: holding.offsets.highest)
        lowest, highest = furthest.offsets.lowest, furthest.offsets.highest
        what = (
            f"{partition}: {_committed(beginning)}, but {furthest.sink} holds records {lowest} to {highest}, "
            f"and reading would begin at {beginning.start}: {_cause(beginning)}"
        )
        if self._policy is GapPolicy.FAIL:
            raise PartitionStoppedError(
                f"{what}; stop the workers and run `lpa recover offset-loss`, which finds the right offset; or set "
                "QUALITY_OFFSET_GAP_POLICY to latest to continue after what is stored, or to earliest to store it again"
            )
        where = beginning.start
        if self._policy is GapPolicy.LATEST:
            where = max(where, min(highest + 1, beginning.span.high))
        self._decided(what, where)
        return where

    def _is_gap(self, partition: Partition, span: OffsetSpan) -> bool:
        return any(sink.is_gap(*partition, span) for sink in self._sinks if isinstance(sink, SupportsKnownGaps))

    def _gap(self, span: ReadableOffsets, what: str, remedy: str) -> int:
        if self._policy is GapPolicy.FAIL:
            raise PartitionStoppedError(f"{what}; {remedy}")
        where = span.low if self._policy is GapPolicy.EARLIEST else span.high
        self._decided(what, where)
        return where

    def _decided(self, what: str, where: int) -> None:
        _log.error(
            "the offset gap policy decides where to go on", policy=self._policy.value, problem=what, goes_on_at=where
        )


def _committed(beginning: Beginning) -> str:
    if beginning.found is None:
        return "no offset is committed"
    if beginning.prepared is None:
        return f"offset {beginning.found.offset} is committed"
    range_ = beginning.prepared.range
    return f"offset {beginning.found.offset} is committed and {range_.start} to {range_.end - 1} are prepared"


def _cause(beginning: Beginning) -> str:
    if beginning.found is None:
        return "the topic was deleted and made again, or the group's offset expired, or the group is another one"
    return "the group's offset was set back, or a tool dropped its metadata"
