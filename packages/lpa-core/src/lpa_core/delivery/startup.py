"""How a worker begins with a partition it was given: what is committed, what is missing, what is to be repeated."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Final, final

import structlog

from lpa_core.dedup.store import DedupStoreError, DedupStoreUnavailable
from lpa_core.delivery.background import Background, Task
from lpa_core.delivery.claims import Claims
from lpa_core.delivery.commit_metadata import DamagedMetadata, Prepared, decode
from lpa_core.delivery.log import Commit, Log, LogUnavailable, Partition, Span
from lpa_core.delivery.observer import Observer
from lpa_core.delivery.partitions import PartitionState, Phase
from lpa_core.sinks import SinkUnavailable

_AGAIN_SECONDS: Final = 1.0

_log = structlog.get_logger("lpa.delivery")


class GapPolicy(StrEnum):
    """What to do where the committed offset is no longer in the partition (retention took it, or a truncation)."""

    FAIL = "fail"
    """Leave the partition alone until a person decides."""
    EARLIEST = "earliest"
    LATEST = "latest"


class _NeedsAPerson(Exception):
    pass


@final
class Startup:
    """Takes partitions from STARTING to REPEATING or RUNNING, without ever waiting."""

    def __init__(
        self,
        log: Log,
        claims: Claims,
        policy: GapPolicy,
        fingerprint: str,
        observer: Observer,
        background: Background,
        clock: Callable[[], int],
    ) -> None:
        self._log, self._claims, self._policy, self._fingerprint = log, claims, policy, fingerprint
        self._observer, self._background, self._clock = observer, background, clock
        self._rebuilds: dict[Partition, Task] = {}

    def advance(self, state: PartitionState) -> None:
        """Take the partition one step further, if there is one to take now.

        A server that does not answer is asked again later; ``state.why`` says what is waited for. Raises LogError,
        SinkMisconfigured.
        """
        if not state.usable or self._background.now() < state.retry_at:
            return
        try:
            if state.phase is Phase.STARTING:
                self._begin(state)
            if state.phase is Phase.REBUILDING:
                self._watch_rebuild(state)
        except (LogUnavailable, DedupStoreUnavailable, SinkUnavailable, DedupStoreError) as problem:
            _log.warning("partition cannot start yet", partition=str(state.partition), reason=str(problem))
            state.phase, state.why = Phase.STARTING, str(problem)
            state.retry_at = self._background.now() + _AGAIN_SECONDS
        except _NeedsAPerson as problem:
            fail(state, str(problem))

    def _begin(self, state: PartitionState) -> None:
        partition = state.partition
        found = self._log.committed([partition])[partition]
        prepared = self._prepared(partition, found)
        start = self._where(partition, found, prepared, self._log.span(partition))
        if prepared is not None and start == prepared.range.start:
            state.prepared = prepared.range
            state.committed = found
        else:
            state.prepared = None
            state.committed = Commit(start)
        if state.dedup is None:
            state.dedup = self._claims.open(partition)
        missing = self._claims.missing_from(partition, start)
        if missing is None:
            self._read_on(state)
        else:
            self._rebuild(state, missing, start)

    def _prepared(self, partition: Partition, found: Commit | None) -> Prepared | None:
        try:
            prepared = decode(partition, found.metadata) if found else None
        except DamagedMetadata as problem:
            raise _NeedsAPerson(f"{problem}: reset the group's offset of this partition") from None
        if prepared is not None and prepared.fingerprint != self._fingerprint:
            _log.warning(
                "a range that was prepared under other settings is repeated under these: its verdicts may differ",
                partition=str(partition),
                offsets=f"{prepared.range.start} to {prepared.range.end - 1}",
            )
        return prepared

    def _where(self, partition: Partition, found: Commit | None, prepared: Prepared | None, span: Span) -> int:
        if found is None:
            through = self._claims.through(partition)
            if through <= span.low:
                return span.low
            return self._gap(
                span,
                f"{partition}: no offset is committed, but this machine knows it as finished up to {through}: "
                "the topic was made anew, or the group's offset expired, or the group is another one",
            )
        start, end = (prepared.range.start, prepared.range.end) if prepared else (found.offset, found.offset)
        if span.low <= start and end <= span.high:
            return start
        deleted = start < span.low
        cause = "records were deleted before they were read" if deleted else "the topic was truncated or made anew"
        return self._gap(
            span,
            f"{partition}: offset {start} is committed, but the topic holds {span.low} to {span.high - 1}: {cause}",
        )

    def _gap(self, span: Span, what: str) -> int:
        if self._policy is GapPolicy.FAIL:
            raise _NeedsAPerson(
                f"{what}; set QUALITY_OFFSET_GAP_POLICY to earliest or latest, or reset the group's offset"
            )
        where = span.low if self._policy is GapPolicy.EARLIEST else span.high
        _log.error(
            "the offset gap policy decides where to go on", policy=self._policy.value, problem=what, goes_on_at=where
        )
        return where

    def _rebuild(self, state: PartitionState, first: int, committed: int) -> None:
        partition, store, now = state.partition, state.dedup, self._clock()
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
        state.next_offset = state.prepared.start if state.prepared is not None else state.committed.offset
        self._log.start(state.partition, state.next_offset)
        if state.prepared is not None:
            state.phase, state.why = Phase.REPEATING, "a range that was prepared before is being repeated"
        else:
            state.phase, state.why = Phase.RUNNING, ""


def fail(state: PartitionState, why: str) -> None:
    """Leave the partition to a person; others go on."""
    _log.error("partition stopped; the others go on", partition=str(state.partition), reason=why)
    state.phase, state.why = Phase.FAILED, why
    state.buffer.clear()
