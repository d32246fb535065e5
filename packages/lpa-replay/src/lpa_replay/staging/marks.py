"""The marks that a replayed record carries at its root (docs/spec/events.md section 11): no part of its dedup key."""

from __future__ import annotations

import re
from typing import Any, Final, Literal, NamedTuple, final

import msgspec

from lpa_core.dedup.key import REPLAY_PREFIX
from lpa_core.errors import JobFailed
from lpa_core.events.coercion import timestamp, whole_number
from lpa_core.records import Position
from lpa_replay.sources.record import Found, possible_position

ORIGIN: Final = "__replay_origin"
_ATTEMPT: Final = "__replay_attempt"
_MOST_ATTEMPTS: Final = 2**16 - 1
_MARK: Final = re.compile(rb"__replay|\\u00[5-7]")
"""A mark's name, or an escaped letter or underscore that may be part of one: U+005F, U+0061 to U+0079."""
_FIRST_FAILURE: Final = "__replay_first_failure_ms"
_RECORD: Final = "__replay_record_ms"
# A number too large for a double is infinite here, as in the pipeline.
_decode: Final = msgspec.json.Decoder(float_hook=float).decode


class NotAnObjectError(JobFailed):
    """The payload is not a JSON object, so nothing can be added to it. Says why."""


def _named(field: str) -> str:
    return REPLAY_PREFIX if field == "replay" else f"{REPLAY_PREFIX}_{field}"


def position_text(position: Position) -> str:
    return f"{position.topic}:{position.partition}:{position.offset}"


@final
class Marks(msgspec.Struct, gc=False, frozen=True, omit_defaults=True, rename=_named):
    """What is added to a record. Times are epoch ms; ``attempt`` counts this replay too.

    ``record_ms`` is the time of the record that was first read: its event is judged by it again.
    """

    replay: Literal[True]
    ts: int
    source: str
    id: str
    attempt: int
    origin: str
    failure_class: str = ""
    first_failure_ms: int | None = None
    record_ms: int | None = None


@final
class Lineage(NamedTuple):
    """What a record's own marks and envelope say about its past.

    Attributes:
        origin: where it was first read from.
        attempts: how often it has been replayed.
        first_failure_ms: when it was rejected first, epoch ms; None if no rejection is known.
        record_ms: the time of the record that was first read, epoch ms; None if unknown.
    """

    origin: Position
    attempts: int
    first_failure_ms: int | None
    record_ms: int | None


def marked(payload: bytes, added: Marks) -> bytes:
    """The payload with these marks at its beginning, in the place of any it had; otherwise byte for byte as it was.

    They come first so that they are still there where an envelope keeps only the beginning. Raises NotAnObjectError
    if that can be told without decoding the payload.
    """
    body = payload.strip()
    if not body.startswith(b"{"):
        raise NotAnObjectError(_what_it_is(body))
    head = msgspec.json.encode(added)
    if _may_be_marked(body):
        document = _object(body)
        own = {name: value for name, value in document.items() if not name.startswith(REPLAY_PREFIX)}
        body = msgspec.json.encode(own)
    rest = body[1:].lstrip()
    return head[:-1] + (rest if rest == b"}" else b"," + rest)


def lineage(found: Found) -> Lineage:
    """What is known of a record's past: an earlier replay wrote it down."""
    payload = found.payload
    failed = found.ingested_ms if found.failure_class else None
    attempt = min(found.attempt, _MOST_ATTEMPTS)
    if payload is None or not _may_be_marked(payload):
        return Lineage(found.place, attempt, failed, found.record_ms)
    try:
        document = _object(payload.strip())
        topic, partition, offset = str(document[ORIGIN]).rsplit(":", 2)
        origin = possible_position(topic, int(partition), int(offset))
    except (NotAnObjectError, KeyError, ValueError):
        origin = None
    if origin is None:
        return Lineage(found.place, attempt, failed, found.record_ms)
    attempts = min(max(attempt, whole_number(document.get(_ATTEMPT)) or 0), _MOST_ATTEMPTS)
    earlier = timestamp(document.get(_FIRST_FAILURE))
    recorded = timestamp(document.get(_RECORD))
    return Lineage(
        origin,
        attempts,
        failed if earlier is None else earlier,
        found.record_ms if recorded is None else recorded,
    )


def _may_be_marked(payload: bytes) -> bool:
    return _MARK.search(payload) is not None


def _object(body: bytes) -> dict[str, Any]:
    try:
        document = _decode(body)
    except (ValueError, RecursionError) as error:
        raise NotAnObjectError("it is not JSON") from error
    if not isinstance(document, dict):
        raise NotAnObjectError("it is not a JSON object")
    return document


def _what_it_is(body: bytes) -> str:
    try:
        _object(body)
    except NotAnObjectError as error:
        return str(error)
    return "it is not a JSON object"
