"""How a worker begins with a partition it was given: what is committed, what is missing, what is to be repeated."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Final, final

import attrs
import structlog

from lpa_core.dedup.store import DamagedClaimsError, DedupStoreError, LostClaimsError
from lpa_core.delivery.background import Task
from lpa_core.delivery.claims import Claims
from lpa_core.delivery.commit_metadata import DamagedMetadataError, Prepared, decode
from lpa_core.delivery.consumer_group import Commit, ConsumerGroup, Partition, ReadableOffsets
from lpa_core.delivery.partitions import PartitionState, Phase
from lpa_core.delivery.stored import Holding, StoredPositions
from lpa_core.delivery.surroundings import Surroundings
from lpa_core.errors import Unavailable
from lpa_core.sinks.sink import Sink, SinkUnavailable, SupportsKnownGaps
from lpa_core.tables.known_gaps import OffsetSpan

_AGAIN_SECONDS: Final = 1.0

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


class _NeedsAPerson(Exception):
    pass


@final
@attrs.define(slots=True, eq=False)
class _Beginning:
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
class Takeover:
    """Takes partitions from STARTING to REPEATING or RUNNING, without ever waiting."""

    def __init__(
        self,
        group: ConsumerGroup,
        sinks: Sequence[Sink],
        claims: Claims,
        policy: GapPolicy,
        fingerprint: str,
        surroundings: Surroundings,
    ) -> None:
        self._group, self._sinks, self._claims, self._policy = group, sinks, claims, policy
        self._fingerprint, self._surroundings = fingerprint, surroundings
        self._observer, self._background = surroundings.observer, surroundings.background
        self._beginnings: dict[PartitionState, _Beginning] = {}
        self._rebuilds: dict[Partition, Task] = {}

    def advance(self, states: Sequence[PartitionState]) -> None:
        """Take each of the worker's partitions one step further, if there is one to take now.

        A server that does not answer is asked again later; ``state.why`` says what is waited for. Raises BrokerError,
        SinkMisconfigured, LostClaimsError.
        """
        for state in [state for state in self._beginnings if not state.usable]:
            del self._beginnings[state]
        for state in states:
            self._step(state, Phase.STARTING, self._begin)
        self._ask_sinks()
        for state in states:
            self._step(state, Phase.LOCATING, self._locate)
            self._step(state, Phase.REBUILDING, self._watch_rebuild)

    def _step(self, state: PartitionState, phase: Phase, step: Callable[[PartitionState], None]) -> None:
        if state.phase is not phase or not state.usable or self._background.now() < state.retry_at:
            return
        try:
            step(state)
        except LostClaimsError:
            raise
        except (Unavailable, DedupStoreError) as problem:
            _log.warning("partition cannot start yet", partition=str(state.partition), reason=str(problem))
            state.phase, state.why = Phase.STARTING, str(problem)
            if isinstance(problem, DamagedClaimsError):
                state.dedup = None  # it has let its files go; opened again, they are set aside
            state.retry_at = self._background.now() + _AGAIN_SECONDS
        except _NeedsAPerson as problem:
            fail(state, str(problem))

    def _begin(self, state: PartitionState) -> None:
        partition = state.partition
        found = self._group.committed([partition])[partition]
        span = state.span = self._group.span(partition)
        prepared = self._prepared(partition, found)
        start = self._where(partition, found, prepared, span)
        if prepared is not None and start != prepared.range.start:
            prepared = None
        self._beginnings[state] = _Beginning(found, prepared, start, span)
        state.phase, state.why = Phase.LOCATING, "the sinks are asked which positions they hold"

    def _ask_sinks(self) -> None:
        """Ask about all partitions at once that have come so far."""
        new = {state.partition: each for state, each in self._beginnings.items() if each.stored is None}
        if not new:
            return
        first = {partition: beginning.unexplained for partition, beginning in new.items()}
        stored = StoredPositions(self._sinks, first, self._background)
        for beginning in new.values():
            beginning.stored = stored

    def _locate(self, state: PartitionState) -> None:
        beginning, partition = self._beginnings[state], state.partition
        assert beginning.stored is not None
        try:
            if not beginning.stored.answered():
                return
        except SinkUnavailable:
            del self._beginnings[state]
            raise
        del self._beginnings[state]
        self._surroundings.batch_clock.stored(beginning.stored.newest)
        held = beginning.stored.of(partition)
        if held and self._group.committed([partition])[partition] != beginning.found:
            # Another worker had the partition meanwhile: what it stored is explained by what it committed.
            state.phase = Phase.STARTING
            return
        if self._emptied(state, beginning):
            start = self._emptied_gap(partition, beginning)
        else:
            start = self._checked(partition, beginning, held)
        if beginning.prepared is not None and start == beginning.prepared.range.start:
            state.prepared, state.committed = beginning.prepared.range, beginning.found
        else:
            state.prepared, state.committed = None, Commit(start)
        if state.dedup is None:
            state.dedup = self._claims.open(partition, beginning.found.offset if beginning.found else 0)
        missing = self._claims.missing_from(partition, state.dedup, start)
        if missing is None:
            self._read_on(state)
        else:
            self._rebuild(state, missing, start)

    def _prepared(self, partition: Partition, found: Commit | None) -> Prepared | None:
        try:
            prepared = decode(partition, found.metadata) if found else None
        except DamagedMetadataError as problem:
            raise _NeedsAPerson(
                f"{problem}: stop the workers and run `lpa recover offset-loss`, which finds the right offset"
            ) from None
        if prepared is not None and prepared.fingerprint != self._fingerprint:
            _log.warning(
                "a range that was prepared under other settings is repeated under these: its verdicts may differ",
                partition=str(partition),
                offsets=f"{prepared.range.start} to {prepared.range.end - 1}",
            )
        return prepared

    def _where(
        self, partition: Partition, found: Commit | None, prepared: Prepared | None, span: ReadableOffsets
    ) -> int:
        if found is None:
            return span.low
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

    def _checked(self, partition: Partition, beginning: _Beginning, held: Sequence[Holding]) -> int:
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

    def _emptied(self, state: PartitionState, beginning: _Beginning) -> bool:
        """Whether no sink holds any record, though there are claims, and records before what is committed.

        If there are no claims, another program has led the group so far: it is a cut-over.
        """
        assert beginning.stored is not None
        committed = beginning.found.offset if beginning.found is not None else 0
        if committed <= beginning.span.low or not beginning.stored.nothing:
            return False
        if state.dedup is None:
            state.dedup = self._claims.open(state.partition, committed)
        return state.dedup.statistics().keys > 0

    def _emptied_gap(self, partition: Partition, beginning: _Beginning) -> int:
        what = (
            f"{partition}: {_committed(beginning)} and there are claims, but no sink holds any record: "
            "the database was lost or emptied"
        )
        if self._policy is GapPolicy.FAIL:
            raise _NeedsAPerson(
                f"{what}; stop the workers and run `lpa recover total-loss`, which brings it back; without any backup, "
                "`lpa recover offset-loss` has what the topic still holds read again; to go on from there with empty "
                "tables, set QUALITY_OFFSET_GAP_POLICY to latest"
            )
        where = beginning.span.low if self._policy is GapPolicy.EARLIEST else beginning.start
        self._decided(what, where)
        return where

    def _stored_gap(self, partition: Partition, beginning: _Beginning, held: Sequence[Holding]) -> int:
        furthest = max(held, key=lambda holding: holding.offsets.highest)
        lowest, highest = furthest.offsets.lowest, furthest.offsets.highest
        what = (
            f"{partition}: {_committed(beginning)}, but {furthest.sink} holds records {lowest} to {highest}, "
            f"and reading would begin at {beginning.start}: {_cause(beginning)}"
        )
        if self._policy is GapPolicy.FAIL:
            raise _NeedsAPerson(
                f"{what}; stop the workers and run `lpa recover offset-loss`, which finds the right offset; or set "
                "QUALITY_OFFSET_GAP_POLICY to latest to go on behind what is stored, or to earliest to store it again"
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
            raise _NeedsAPerson(f"{what}; {remedy}")
        where = span.low if self._policy is GapPolicy.EARLIEST else span.high
        self._decided(what, where)
        return where

    def _decided(self, what: str, where: int) -> None:
        _log.error(
            "the offset gap policy decides where to go on", policy=self._policy.value, problem=what, goes_on_at=where
        )

    def _rebuild(self, state: PartitionState, first: int, committed: int) -> None:
        partition, store, now = state.partition, state.dedup, self._surroundings.clock()
        assert store is not None

        def progress(share: float, keys: int) -> None:
            state.rebuilt = share
            state.why = f"claims are being rebuilt from the sink, {share:.0%} done"
            self._observer.rebuilt(partition, share, keys)

        progress(0.0, 0)
        state.phase = Phase.REBUILDING
        self._rebuilds[partition] = self._background.start(
            lambda: self._claims.rebuild(partition, store, first, committed, now, progress), f"rebuild {partition}"
        )

    def _watch_rebuild(self, state: PartitionState) -> None:
        task = self._rebuilds[state.partition]
        if not task.wait(0):
            return
        del self._rebuilds[state.partition]
        task.check()
        self._observer.rebuilt(state.partition, 1.0, 0)
        self._read_on(state)

    def settled(self, state: PartitionState) -> bool:
        """Whether nothing works on the partition's store in the background."""
        task = self._rebuilds.get(state.partition)
        return task is None or task.wait(0)

    def _read_on(self, state: PartitionState) -> None:
        assert state.committed is not None
        state.buffer.clear()
        state.closed = state.committed.offset
        state.next_offset = state.prepared.start if state.prepared is not None else state.committed.offset
        self._group.start(state.partition, state.next_offset)
        if state.prepared is not None:
            state.phase, state.why = Phase.REPEATING, "a range that was prepared before is being repeated"
        else:
            state.phase, state.why = Phase.RUNNING, ""


def _committed(beginning: _Beginning) -> str:
    if beginning.found is None:
        return "no offset is committed"
    if beginning.prepared is None:
        return f"offset {beginning.found.offset} is committed"
    range_ = beginning.prepared.range
    return f"offset {beginning.found.offset} is committed and {range_.start} to {range_.end - 1} are prepared"


def _cause(beginning: _Beginning) -> str:
    if beginning.found is None:
        return "the topic was deleted and made again, or the group's offset expired, or the group is another one"
    return "the group's offset was set back, or a tool dropped the metadata beside it"


def fail(state: PartitionState, why: str) -> None:
    """Leave the partition to a person; others go on."""
    _log.error("partition stopped; the others go on", partition=str(state.partition), reason=why)
    state.phase, state.why = Phase.FAILED, why
    state.buffer.clear()
