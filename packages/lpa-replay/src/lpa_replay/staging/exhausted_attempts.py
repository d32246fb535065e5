"""The envelope of a record that was replayed as often as allowed, for quarantine."""

from __future__ import annotations

import attrs

from lpa_core.pipeline.reject_envelope import Rejected, RejectEnvelope, envelope
from lpa_core.validation.reasons import Failure, FailureClass, Reason, Stage
from lpa_replay.staging.prepare import PreparedRecord


def exhausted_envelope(prepared: PreparedRecord, replay_id: str, now: int, max_row_bytes: int) -> RejectEnvelope:
    """Of the record as it was rejected last, under its first position; ``now`` is epoch ms."""
    found = prepared.found
    before = f"{found.failure_class} {found.failure_reason}: {found.failure_details}".strip(": ")
    failure = Failure(
        Stage.REPLAY,
        FailureClass.REPLAY_EXHAUSTED,
        Reason.ATTEMPTS_EXHAUSTED,
        f"replayed {prepared.attempts} times, rejected last as {before}",
    )
    rejected = Rejected(
        prepared.origin,
        failure,
        found.payload,
        event_type=prepared.event_type or None,
        event_timestamp=prepared.event_ms,
        dedup_key=prepared.dedup_key or None,
        replay=True,
        replay_id=replay_id,
        attempt=prepared.attempts,
        first_failure_ms=prepared.first_failure_ms,
    )
    record_ms = now if found.record_ms is None else found.record_ms
    return attrs.evolve(envelope(rejected, record_ms, now, max_row_bytes), traceparent=found.traceparent)
