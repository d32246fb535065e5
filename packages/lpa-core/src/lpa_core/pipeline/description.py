"""What a document says of itself, for the rejection of its record."""

from __future__ import annotations

from typing import Any

from lpa_core.events.coercion import timestamp
from lpa_core.pipeline import reject_values
from lpa_core.pipeline.reject_envelope import Rejected
from lpa_core.records import Position
from lpa_core.validation.json_document import Document


def described_by(document: Document, value: bytes, position: Position, **known: Any) -> Rejected:
    """A rejection of this record: what is known of it, and else what its document says."""
    said = {
        "event_id": document.text("id"),
        "event_type": document.text("type"),
        "event_version": document.version,
        "event_timestamp": document.timestamp,
        "orchestrator": document.dimension("orchestrator"),
        "broadcaster": document.dimension("broadcaster"),
        "region": document.dimension("region"),
        "replay": document.value("__replay") is True,
        "replay_id": document.text("__replay_id") or None,
        "attempt": reject_values.attempt(document.value("__replay_attempt")),
        "first_failure_ms": timestamp(document.value("__replay_first_failure_ms")),
    }
    return Rejected(position=position, payload=value, **(said | known))
