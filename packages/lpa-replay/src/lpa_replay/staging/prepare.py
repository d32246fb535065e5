"""Makes of a record what would be sent: repaired, marked, and judged by today's pipeline. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

import attrs

from lpa_core.orgs import NO_ORG, EventKey
from lpa_core.pipeline.pipeline import Pipeline
from lpa_core.pipeline.reject_envelope import Rejected
from lpa_core.pipeline.verdicts import Accepted, Ignored
from lpa_core.records import Position, RecordBatch
from lpa_core.replays import ReplayError, ReplayRecord, required_bytes
from lpa_core.validation.reasons import FailureClass, Reason
from lpa_replay.sources.record import Found
from lpa_replay.spool.outcomes import PASSES
from lpa_replay.staging.destination import ANYWHERE, Destination
from lpa_replay.staging.marks import Lineage, Marks, NotAnObjectError, marked, position_text
from lpa_replay.staging.repairs import Repair


@final
@attrs.define(slots=True)
class PreparedRecord:
    """A record on its way.

    Attributes:
        origin: where it was first read from, before any replay.
        attempts: earlier replays that the record or the audit knows.
        first_failure_ms: when it was rejected first, epoch ms, if known.
        record_ms: the time of the record that was first read, epoch ms, if known.
        generation: earlier replays that the record itself names.
        org: whose event it is where it goes.
        value: what would be sent; None if ``problem`` or ``unfixed`` says why not.
        problem: why nothing can be sent.
        unfixed: a repair could not do its work.
        forecast: ``passes``, or the reason why it would be rejected again.
    """

    found: Found
    origin: Position
    attempts: int
    first_failure_ms: int | None
    record_ms: int | None
    generation: int
    org: str = NO_ORG
    value: bytes | None = None
    problem: str = ""
    unfixed: str = ""
    repaired: bool = False
    forecast: str = ""
    dedup_key: str = ""
    event_type: str = ""
    event_ms: int | None = None
    typed_rows: int = 0
    forecast_details: str = ""

    @property
    def key(self) -> EventKey:
        return EventKey(self.org, self.dedup_key)


@final
class Preparation:
    """How the records of one run are made ready."""

    def __init__(
        self,
        pipeline: Pipeline,
        repairs: Sequence[Repair],
        *,
        replay_id: str,
        source: str,
        marked_at: int,
        destination: Destination = ANYWHERE,
    ) -> None:
        """``marked_at`` is ``__replay_ts``, epoch ms: the same each time that a run is made ready."""
        self._pipeline, self._repairs = pipeline, tuple(repairs)
        self._id, self._source, self._now = replay_id, source, marked_at
        self._destination = destination

    def prepare(self, some: Sequence[tuple[Found, Lineage, int]]) -> list[PreparedRecord]:
        """In the order given; with each record how often the audit says that it was replayed."""
        prepared = [self._ready(*each) for each in some]
        sent = [each for each in prepared if each.value is not None]
        times = [self._now if each.record_ms is None else each.record_ms for each in sent]
        batch = RecordBatch(self._id, 0, range(len(sent)), [each.value for each in sent], times)
        for each, verdict in zip(sent, self._pipeline.judge(batch, self._now), strict=True):
            if type(verdict) is Accepted:
                each.forecast, each.dedup_key = PASSES, verdict.dedup_key
                each.event_type, each.event_ms = verdict.envelope.type, verdict.envelope.timestamp
                each.typed_rows = len(verdict.rows)
            elif isinstance(verdict, Ignored):
                each.unfixed = f"a rule ignores it: {verdict.reason}"
            else:
                _forecast(each, verdict)
        return prepared

    def _ready(self, found: Found, past: Lineage, audited: int) -> PreparedRecord:
        origin, generation, failed, recorded = past
        attempts = max(generation, audited)
        ready = PreparedRecord(
            found,
            origin,
            attempts,
            failed,
            recorded,
            generation,
            self._destination.org(origin),
            event_type=found.event_type,
            event_ms=found.event_ms,
        )
        if found.problem or found.payload is None:
            ready.problem = found.problem or "it has no value"
            return ready
        if self._destination.topics and self._destination.topic(origin) is None:
            ready.unfixed = f"{origin.topic} is not an input topic: REPLAY_OUTPUT_TOPIC names another one"
            return ready
        payload = found.payload
        for name, repair in self._repairs:
            try:
                changed = required_bytes(repair(_shown(found, payload, origin, attempts)))
            except (Exception, SystemExit) as error:  # whatever a third party's transform raises
                own = isinstance(error, ValueError | ReplayError)
                said = str(error) if own else f"{type(error).__name__}: {error}"
                ready.unfixed = f"{name}: {' '.join(said.split())}"
                return ready
            if changed is not None:
                payload, ready.repaired = changed, True
        try:
            failure, place = found.failure_class, position_text(origin)
            added = Marks(True, self._now, self._source, self._id, attempts + 1, place, failure, failed, recorded)
            # Nothing unmasked is spooled, even of an archive from before the masking.
            ready.value = marked(self._pipeline.masking.masked(payload), added)
        except NotAnObjectError as error:
            ready.problem = str(error)
        return ready


def _shown(found: Found, payload: bytes, origin: Position, attempts: int) -> ReplayRecord:
    return ReplayRecord(
        payload,
        origin,
        found.failure_stage,
        found.failure_class,
        found.failure_reason,
        found.failure_details,
        found.event_type,
        attempts,
    )


def _forecast(each: PreparedRecord, verdict: Rejected) -> None:
    failure = verdict.failure
    if failure.failure_class is FailureClass.DESERIALIZATION_FAILED or failure.reason is Reason.ROOT_NOT_OBJECT:
        each.value, each.problem = None, "it is not JSON"
        return
    each.forecast, each.forecast_details = failure.reason.value, failure.details
    each.dedup_key = verdict.dedup_key or ""
    each.event_type = verdict.event_type or each.event_type
    each.event_ms = verdict.event_timestamp if verdict.event_timestamp is not None else each.event_ms
