"""Envelopes of rejected records, as topics and files carry them (docs/spec/events.md section 7)."""

from __future__ import annotations

import base64
import binascii
from contextlib import suppress
from typing import Any, Final, final

import msgspec
from msgspec import UNSET, UnsetType

from lpa_core.events.coercion import timestamp
from lpa_core.pipeline.reject_envelope import SCHEMA_VERSION
from lpa_core.pipeline.traceparent import TRACEPARENT, traceparent_of
from lpa_core.records import Position
from lpa_replay.sources.record import Found, possible_position


@final
class _Source(msgspec.Struct, gc=False, rename="camel"):
    topic: str | None = None
    partition: int = 0
    offset: int = 0
    record_timestamp: int | None = None


@final
class _Failure(msgspec.Struct, gc=False, rename="camel"):
    stage: str = ""
    failure_class: str = ""
    reason: str = ""
    details: str | None = None


@final
class _Identity(msgspec.Struct, gc=False, rename="camel"):
    event_type: str | None = None


@final
class _Payload(msgspec.Struct, gc=False, rename="camel"):
    encoding: str = "json"
    body: str | None = None
    truncated: bool = False


@final
class _Envelope(msgspec.Struct, gc=False, rename="camel"):
    schema_version: str
    source: _Source | None = None
    failure: _Failure | None = None
    identity: _Identity | None = None
    payload: _Payload | None = None
    dedup_key: str | None = None
    attempt: int = 0
    ingestion_timestamp: int | None = None
    event_timestamp: int | None = None
    traceparent: str = ""


@final
class _Root(msgspec.Struct, gc=False, rename="camel"):
    schema_version: msgspec.Raw | UnsetType = UNSET
    failure: msgspec.Raw | UnsetType = UNSET
    payload: msgspec.Raw | UnsetType = UNSET


_decode: Final = msgspec.json.Decoder(_Envelope).decode
_decode_root: Final = msgspec.json.Decoder(_Root).decode


def read_envelope(value: bytes | None, place: Position, record_ms: int | None) -> Found:
    """The rejected record of an envelope.

    One that cannot be read is not an error: it has a problem, and the times that can still be told.

    Args:
        place: where the envelope itself stands, for one that does not say, as could be, where its record came from.
        record_ms: epoch ms of the envelope as a record; None if it has none.
    """
    if value is None:
        return Found(None, place, record_ms, ingested_ms=record_ms, problem="the envelope is empty")
    try:
        envelope = _decode(value)
        if envelope.schema_version != SCHEMA_VERSION:
            raise ValueError(f"its schema version is {envelope.schema_version}, not {SCHEMA_VERSION}")
    except (ValueError, RecursionError) as error:
        return _unreadable(value, place, record_ms, f"the envelope cannot be read: {error}")
    source, failure = envelope.source or _Source(), envelope.failure or _Failure()
    payload = envelope.payload or _Payload()
    origin = possible_position(source.topic or "", source.partition, source.offset)
    body, problem = payload_bytes(payload.encoding, payload.body, payload.truncated)
    return Found(
        body,
        place if origin is None else origin,
        timestamp(source.record_timestamp),
        timestamp(envelope.event_timestamp),
        timestamp(envelope.ingestion_timestamp),
        failure.stage,
        failure.failure_class,
        failure.reason,
        failure.details or "",
        (envelope.identity.event_type if envelope.identity else None) or "",
        envelope.dedup_key or "",
        max(0, envelope.attempt),
        problem,
        traceparent_of([(TRACEPARENT, envelope.traceparent.encode("utf-8", "replace"))]),
    )


def payload_bytes(encoding: str, body: str | None, truncated: bool) -> tuple[bytes | None, str]:
    """The record's bytes and why there are none; one of them is empty."""
    if truncated:
        return None, "the envelope holds only the beginning of the record"
    if body is None:
        return None, "the record had no value"
    if encoding.lower() == "base64":
        try:
            return base64.b64decode(body, validate=True), ""
        except (binascii.Error, ValueError):
            return None, "the envelope's base64 is damaged"
    return body.encode("utf-8", "surrogatepass"), ""


def looks_like_envelope(value: bytes) -> bool:
    """Events have no such names at their root, though they may have them below it."""
    if not (b'"schemaVersion"' in value and b'"failure"' in value and b'"payload"' in value):
        return False
    try:
        root = _decode_root(value)
    except (ValueError, RecursionError):
        return True
    return UNSET not in (root.schema_version, root.failure, root.payload)


def _unreadable(value: bytes, place: Position, record_ms: int | None, problem: str) -> Found:
    said: Any = {}
    with suppress(ValueError, RecursionError):
        said = msgspec.json.decode(value)
    times = said if isinstance(said, dict) else {}
    return Found(
        None,
        place,
        record_ms,
        timestamp(times.get("eventTimestamp")),
        timestamp(times.get("ingestionTimestamp")) or record_ms,
        problem=problem,
    )
