"""What is published of a range that is written: its rejects, and what it touches. One record each."""

from __future__ import annotations

from collections.abc import Sequence

from lpa_core.delivery.consumer_group import OutgoingRecord
from lpa_core.delivery.pending_range import PendingRange
from lpa_core.delivery.touched_sessions import touches
from lpa_core.kafka.reject_records import reject_record
from lpa_core.pipeline.reject_envelope import RejectEnvelope
from lpa_core.settings.quality import QualitySettings


def of_reject(envelope: RejectEnvelope, quality: QualitySettings) -> OutgoingRecord:
    """The record of a reject, for the DLQ or the quarantine topic."""
    record = reject_record(envelope)
    topic = quality.quarantine_topic if envelope.failure.quarantined else quality.dlq_topic
    return OutgoingRecord(topic, record.key, record.value, record.headers)


def of_touches(pending: PendingRange, quality: QualitySettings) -> Sequence[OutgoingRecord]:
    """The records by which materializers hear of the range."""
    return [OutgoingRecord(quality.touched_topic, touch.key, touch.encode(), ()) for touch in touches(pending.blocks)]
