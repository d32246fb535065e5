"""A reject as a record of the DLQ or the quarantine topic (docs/spec/events.md section 7)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

import attrs

from lpa_core.pipeline.reject_envelope import RejectEnvelope, envelope_json
from lpa_core.pipeline.traceparent import TRACEPARENT


@final
@attrs.frozen(slots=True, repr=False)
class RejectRecord:
    """All of a record but its topic. Headers tell a consumer what it is without decoding the value."""

    key: bytes
    value: bytes
    headers: Sequence[tuple[str, bytes]]


def reject_record(envelope: RejectEnvelope) -> RejectRecord:
    """The record of an envelope.

    The key is the dedup key, so that rejects of one event lie in one partition; without one it is the source position.
    """
    source, failure = envelope.source, envelope.failure
    first = envelope.ingestion_timestamp if envelope.first_failure_ms is None else envelope.first_failure_ms
    position = f"{source.topic}:{source.partition}:{source.offset}"
    headers = {
        "reason": failure.reason.value,
        "class": failure.failure_class.value,
        "stage": failure.stage.value,
        "source": position,
        "attempt": str(envelope.attempt),
        "first_failure_ms": str(first),
    }
    if envelope.traceparent:
        headers[TRACEPARENT] = envelope.traceparent
    return RejectRecord(
        key=(envelope.dedup_key or position).encode(),
        value=envelope_json(envelope),
        headers=[(name, text.encode()) for name, text in headers.items()],
    )
