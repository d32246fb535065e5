"""Envelopes as topics and files carry them: what is read of them, and of what is none."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lpa_core.events.registry import BUILTIN_EVENT_TYPES
from lpa_core.pipeline.pipeline import Pipeline
from lpa_core.pipeline.reject_envelope import Rejected, envelope, envelope_json
from lpa_core.records import Position
from lpa_replay.sources.envelopes import looks_like_envelope, read_envelope
from lpa_replay.sources.record import Found

PLACE = Position("events", 1, 7)
HERE = Position("dlq", 0, 99)
PIPELINE = Pipeline(BUILTIN_EVENT_TYPES)


def rejected(payload: bytes | None, *, max_row_bytes: int = 1_000_000) -> bytes:
    """The envelope of a payload that is rejected."""
    verdict = PIPELINE.process(payload, PLACE)
    assert isinstance(verdict, Rejected)
    return envelope_json(envelope(verdict, 1_000, 2_000, max_row_bytes))


def changed(**parts: Any) -> bytes:
    document = msgspec.json.decode(rejected(b'{"type": "x"}'))
    return msgspec.json.encode({**document, **parts})


@given(st.binary(max_size=50) | st.just(b'{"type": "nonsense", "timestamp": 5}'))
def test_the_payload_comes_back_byte_for_byte(payload: bytes) -> None:
    found = read_envelope(rejected(payload), HERE, None)
    assert found.payload == payload
    assert (found.place, found.record_ms, found.ingested_ms, found.problem) == (PLACE, 1_000, 2_000, "")


def test_failure_type_and_event_time() -> None:
    found = read_envelope(rejected(b'{"type": "nonsense", "timestamp": 1700000000000, "data": {}}'), HERE, None)
    assert (found.failure_stage, found.failure_class) == ("SCHEMA_VALIDATION", "SCHEMA_INVALID")
    assert (found.failure_reason, found.event_type, found.event_ms) == (
        "unsupported_event_type",
        "nonsense",
        1_700_000_000_000,
    )


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (None, "the envelope is empty"),
        (b"", "the envelope cannot be read: Input data was truncated"),
        (b"[]", "the envelope cannot be read: Expected `object`, got `array`"),
        (changed(schemaVersion="v2"), "the envelope cannot be read: its schema version is v2, not v1"),
        (changed(payload={"encoding": "base64", "body": "%%%"}), "the envelope's base64 is damaged"),
        (rejected(None), "the record had no value"),
        (
            rejected(b'{"type": "x", "a": "' + b"a" * 200_000 + b'"}', max_row_bytes=100_000),
            "the envelope holds only the beginning of the record",
        ),
    ],
)
def test_what_cannot_be_replayed_says_why(value: bytes | None, problem: str) -> None:
    found = read_envelope(value, HERE, 3_000)
    assert found.payload is None
    assert found.problem == problem


def test_the_times_of_an_unreadable_envelope_are_told_where_they_can_be() -> None:
    found = read_envelope(changed(schemaVersion="v2", eventTimestamp=5, ingestionTimestamp=6), HERE, 3_000)
    assert (found.place, found.record_ms, found.event_ms, found.ingested_ms) == (HERE, 3_000, 5, 6)


@given(st.binary(max_size=200))
def test_nothing_makes_it_raise(value: bytes) -> None:
    assert isinstance(read_envelope(value, HERE, 0), Found)


def test_an_envelope_is_told_from_an_event() -> None:
    assert looks_like_envelope(rejected(b"nonsense"))
    assert not looks_like_envelope(b'{"type": "x", "data": {"payload": 1, "failure": 2}}')
