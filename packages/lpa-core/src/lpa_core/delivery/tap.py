"""A tap: records as they pass a running worker, for a person who watches.

Worker threads hand records over, and never wait for the person: a tap looks at records only as long as its share of
the time lasts, keeps a bounded number, and counts the rest. What it answers has a share of its own. If nobody watches,
a worker looks at one attribute a range.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, final

import attrs
import msgspec

from lpa_core.dedup.key import canonical_json
from lpa_core.delivery.pending_range import PendingRange
from lpa_core.delivery.tap_messages import TapAnswer, TappedRecord, TapRequest, TapStage
from lpa_core.pipeline.masking import Masking
from lpa_core.pipeline.verdicts import Accepted, Ignored, Verdict
from lpa_core.records import RecordBatch

_SHARE: Final = 0.002
"""Of the processors' work for the process, that a tap may take: with what is not measured less than 1 %."""
_MOST_SECONDS: Final = 0.02
"""That can be saved up."""
_ANSWERING_SHARE: Final = 0.001
"""Of the time since the last question, that masking and searching payloads for its answer may take."""
_LOOKED_AT_ONCE: Final = 64
"""Records between two looks at the clock."""
_HELD: Final = 256
_LARGEST_PAYLOAD: Final = 65_536
_FORGOTTEN_SECONDS: Final = 15.0
"""After this time without a question a tap ends itself."""


@final
@attrs.frozen(slots=True)
class _Held:
    topic: str
    partition: int
    offset: int
    payload: bytes
    """Empty if it is too long to be shown: then nothing else needs the record."""
    size: int
    outcome: str
    type: str
    reason: str


@final
@attrs.define(eq=False)
class _Open:
    """One watcher's tap. Counts are approximate by what two threads count in one moment."""

    request: TapRequest
    id: str
    asked_at: float
    ended: bool = False
    held: deque[_Held] = attrs.field(factory=deque)
    allowance: float = 1.0
    answering: float = _MOST_SECONDS
    """Seconds that answers may take now."""
    passed: int = 0
    not_looked_at: int = 0
    fitting: int = 0
    dropped: int = 0


@final
class Tap:
    """The one tap of a worker: opening another one ends it.

    Worker threads call ``read``, ``judged``, ``claimed`` and ``written``, if ``is_open``; threads of the admin endpoint
    call the others, and wait for each other. Nothing here blocks a worker thread.
    """

    def __init__(
        self,
        masking: Masking,
        clock: Callable[[], float] = time.monotonic,
        processor: Callable[[], float] = time.process_time,
    ) -> None:
        """``clock`` gives seconds, ``processor`` those that processors worked for this process."""
        self._masking, self._clock, self._processor = masking, clock, processor
        self._looking, self._taking = threading.Lock(), threading.Lock()
        self._current: _Open | None = None
        self._budget, self._counted_at = 0.0, 0.0

    @property
    def is_open(self) -> bool:
        """Whether anybody watches."""
        current = self._current
        return current is not None and not current.ended

    # For threads of the admin endpoint.

    def open(self, request: TapRequest) -> str:
        """Begin to show what is asked for; return the id to ask by."""
        now = self._clock()
        opened = _Open(request, uuid.uuid4().hex, now)
        with self._taking:
            self._counted_at, self._budget = self._processor(), _MOST_SECONDS
            self._current = opened
        return opened.id

    def take(self, id: str) -> TapAnswer | None:
        """What came since the last question; None if no such tap is open, or no more."""
        with self._taking:
            current = self._current
            return None if current is None or current.id != id else self._answer(current)

    def _answer(self, current: _Open) -> TapAnswer:
        now, begun = self._clock(), self._processor()
        seconds, current.asked_at = now - current.asked_at, now
        most = max(1.0, current.request.rate)
        current.allowance = min(most, current.allowance + seconds * current.request.rate)
        budget = min(_MOST_SECONDS, current.answering + seconds * _ANSWERING_SHARE)
        records: list[TappedRecord] = []
        late = False
        for _ in range(len(current.held)):
            held = current.held.popleft()
            if late or current.allowance < 1:
                current.dropped += 1
                continue
            shown = self._shown(held, current.request)
            if shown is not None:
                current.allowance -= 1
                records.append(shown)
            late = self._processor() - begun > budget
        current.answering = budget - (self._processor() - begun)
        return TapAnswer(
            records, current.passed, current.not_looked_at, current.fitting, current.dropped, current.ended
        )

    def close(self, id: str) -> None:
        """End the tap of that id, if it is open."""
        with self._taking:
            if self._current is not None and self._current.id == id:
                self._current = None

    # For worker threads.

    def read(self, batch: RecordBatch) -> None:
        """Records that were read."""
        self._look(TapStage.READ, batch, lambda index: ("", _type_of(batch.values[index]), ""))

    def judged(self, batch: RecordBatch, verdicts: Sequence[Verdict]) -> None:
        """Records that the pipeline judged."""
        self._look(TapStage.JUDGED, batch, lambda index: _of_verdict(verdicts[index]))

    def claimed(self, pending: PendingRange) -> None:
        """Records of which it is known who owns their keys."""
        self._look(TapStage.CLAIMED, pending.batch, lambda index: _of_pending(pending, index))

    def written(self, pending: PendingRange) -> None:
        """Records of a finished range."""
        self._look(TapStage.WRITTEN, pending.batch, lambda index: _of_pending(pending, index))

    def _look(self, stage: TapStage, batch: RecordBatch, of: Callable[[int], tuple[str, str, str]]) -> None:
        current = self._current
        if current is None or current.request.stage is not stage:
            return
        count = len(batch)
        current.passed += count
        if not self._looking.acquire(blocking=False):
            current.not_looked_at += count
            return
        try:
            looked = self._look_while_there_is_time(current, batch, of)
            current.not_looked_at += count - looked
        finally:
            self._looking.release()

    def _look_while_there_is_time(
        self, current: _Open, batch: RecordBatch, of: Callable[[int], tuple[str, str, str]]
    ) -> int:
        """How many records were looked at."""
        if self._clock() - current.asked_at > _FORGOTTEN_SECONDS:
            current.ended = True
            return 0
        begun = self._processor()
        budget = min(_MOST_SECONDS, self._budget + (begun - self._counted_at) * _SHARE)
        self._counted_at = now = begun
        looked, count = 0, len(batch)
        while looked < count and now - begun < budget and len(current.held) < _HELD:
            behind = min(count, looked + _LOOKED_AT_ONCE)
            for index in range(looked, behind):
                self._consider(current, batch, index, of(index))
            looked, now = behind, self._processor()
        self._budget = budget - (now - begun)
        return looked

    def _consider(self, current: _Open, batch: RecordBatch, index: int, found: tuple[str, str, str]) -> None:
        request, (outcome, type_, reason) = current.request, found
        if (request.type and type_ != request.type) or (request.reason and reason != request.reason):
            return
        current.fitting += 1
        if current.fitting % request.sample or len(current.held) >= _HELD:
            current.dropped += 1
            return
        payload = batch.values[index] or b""
        kept, size = payload if len(payload) <= _LARGEST_PAYLOAD else b"", len(payload)
        position = (batch.topic, batch.partition, batch.offsets[index])
        current.held.append(_Held(*position, kept, size, outcome, type_, reason))

    def _shown(self, held: _Held, request: TapRequest) -> TappedRecord | None:
        """The record as a person sees it; None if ``where`` does not hold."""
        payload = self._masking.masked(held.payload)
        if request.where and not _holds(payload, request.where.items()):
            return None
        return TappedRecord(
            request.stage,
            held.topic,
            held.partition,
            held.offset,
            held.outcome,
            held.type,
            held.reason,
            payload.decode(errors="backslashreplace"),
            held.size,
        )


class _Glance(msgspec.Struct, gc=False):
    type: Any = None


_glance: Final = msgspec.json.Decoder(_Glance).decode


def _type_of(payload: bytes | None) -> str:
    try:
        found = _glance(payload or b"").type
    except (ValueError, RecursionError):
        return ""
    return found if isinstance(found, str) else ""


def _of_verdict(verdict: Verdict) -> tuple[str, str, str]:
    """Outcome, type and reason."""
    if type(verdict) is Accepted:
        return "accepted", verdict.envelope.type, ""
    if isinstance(verdict, Ignored):
        return "ignored", verdict.event_type, verdict.reason
    outcome = "duplicate" if verdict.failure.quarantined else "dead letter"
    return outcome, verdict.event_type or "", verdict.failure.reason.value


def _of_pending(pending: PendingRange, index: int) -> tuple[str, str, str]:
    outcome, type_, reason = _of_verdict(pending.verdicts[index])
    offset = pending.batch.offsets[index]
    if outcome == "accepted" and offset in pending.range.refused:
        return "dead letter", type_, "sink_write_failed"
    if outcome == "accepted" and offset in (pending.range.duplicates or ()):
        return "duplicate", type_, "duplicate_event"
    return outcome, type_, reason


def _holds(payload: bytes, where: Iterable[tuple[str, str]]) -> bool:
    try:
        root = msgspec.json.decode(payload)
    except (ValueError, RecursionError):
        return False
    return all(_text_at(root, path.split(".")) == text for path, text in where)


def _text_at(value: Any, path: Sequence[str]) -> str | None:
    for name in path:
        if not isinstance(value, dict) or name not in value:
            return None
        value = value[name]
    return value if isinstance(value, str) else canonical_json(value)
