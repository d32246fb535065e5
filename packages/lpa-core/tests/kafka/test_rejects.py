"""Rejects as records of the DLQ and the quarantine topic."""

from __future__ import annotations

import json

from lpa_core.kafka.reject_records import reject_record
from lpa_core.pipeline.reject_envelope import Rejected, RejectEnvelope, envelope, reject_row
from lpa_core.records import Position
from lpa_core.validation.reasons import Failure, FailureClass, Reason, Stage

FAILURE = Failure(Stage.DEDUP, FailureClass.DUPLICATE, Reason.DUPLICATE_EVENT, "first seen elsewhere")


def duplicate(dedup_key: str | None, attempt: int = 0, first_failure_ms: int | None = None) -> RejectEnvelope:
    rejected = Rejected(
        Position("events", 3, 42),
        FAILURE,
        b'{"id": "\xc3\xa4"}',
        dedup_key=dedup_key,
        attempt=attempt,
        first_failure_ms=first_failure_ms,
    )
    return envelope(rejected, record_timestamp=1000, ingestion_timestamp=2000, max_row_bytes=1_000_000)


def test_a_reject_is_keyed_by_its_dedup_key_and_told_by_its_headers() -> None:
    record = reject_record(duplicate("ä-1"))
    assert record.key == "ä-1".encode()
    assert dict(record.headers) == {
        "reason": b"duplicate_event",
        "class": b"DUPLICATE",
        "stage": FAILURE.stage.value.encode(),
        "source": b"events:3:42",
        "attempt": b"0",
        "first_failure_ms": b"2000",
    }
    value = json.loads(record.value)
    assert value["source"] == {"topic": "events", "partition": 3, "offset": 42, "recordTimestamp": 1000}
    assert value["failure"]["failureClass"] == "DUPLICATE"
    assert value["payload"]["body"] == '{"id": "ä"}'


def test_one_without_a_dedup_key_is_keyed_by_its_position() -> None:
    assert reject_record(duplicate(None)).key == b"events:3:42"


def test_a_later_failure_keeps_the_time_of_the_first() -> None:
    later = duplicate("k", attempt=2, first_failure_ms=7)
    headers = dict(reject_record(later).headers)
    assert (headers["attempt"], headers["first_failure_ms"]) == (b"2", b"7")
    assert "firstFailureMs" not in json.loads(reject_record(later).value)
    assert reject_row(later) == reject_row(duplicate("k", attempt=2))
