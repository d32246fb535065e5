"""The marks that a replayed record carries at its root (spec/events.md section 11): no part of its dedup key."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from lpa_core.dedup.key import REPLAY_PREFIX
from lpa_core.events.coercion import whole_number
from lpa_core.records import Position
from lpa_replay.found import Found

ORIGIN: Final = "__replay_origin"
_ATTEMPT: Final = "__replay_attempt"
# A number too large for a double is infinite here, as in the pipeline.
_decode: Final = msgspec.json.Decoder(float_hook=float).decode


class NotAnObject(Exception):
    """The payload is no JSON object, so nothing can be added to it. Says why."""


def position_text(position: Position) -> str:
    return f"{position.topic}:{position.partition}:{position.offset}"


def marks(found: Found, origin: Position, attempt: int, replay_id: str, source: str, now: int) -> dict[str, Any]:
    """What is added to a record; ``now`` is epoch ms, ``attempt`` counts this replay too."""
    failed = {"__replay_failure_class": found.failure_class} if found.failure_class else {}
    return {
        "__replay": True,
        "__replay_ts": now,
        "__replay_source": source,
        **failed,
        "__replay_id": replay_id,
        _ATTEMPT: attempt,
        ORIGIN: position_text(origin),
    }


def marked(payload: bytes, added: dict[str, Any]) -> bytes:
    """The payload with these marks at its beginning, in the place of any it had; otherwise byte for byte as it was.

    They come first so that they are still there where an envelope keeps only the beginning. Raises NotAnObject where
    that can be told without decoding the payload.
    """
    body = payload.strip()
    if not body.startswith(b"{"):
        raise NotAnObject(_what_it_is(body))
    head = msgspec.json.encode(added)
    if _may_be_marked(body):
        document = _object(body)
        own = {name: value for name, value in document.items() if not name.startswith(REPLAY_PREFIX)}
        body = msgspec.json.encode(own)
    rest = body[1:].lstrip()
    return head[:-1] + (rest if rest == b"}" else b"," + rest)


def lineage(found: Found) -> tuple[Position, int]:
    """Where a record was first read from, and how often it has been replayed: an earlier replay wrote it down."""
    payload = found.payload
    if payload is None or not _may_be_marked(payload):
        return found.place, found.attempt
    try:
        document = _object(payload.strip())
        topic, partition, offset = str(document[ORIGIN]).rsplit(":", 2)
        origin = Position(topic, int(partition), int(offset))
    except (NotAnObject, KeyError, ValueError):
        return found.place, found.attempt
    attempt = whole_number(document.get(_ATTEMPT)) or 0
    return origin, max(found.attempt, attempt)


def _may_be_marked(payload: bytes) -> bool:
    return b"__replay" in payload or b"\\u005" in payload


def _object(body: bytes) -> dict[str, Any]:
    try:
        document = _decode(body)
    except (ValueError, RecursionError) as error:
        raise NotAnObject("it is no JSON") from error
    if not isinstance(document, dict):
        raise NotAnObject("it is no JSON object")
    return document


def _what_it_is(body: bytes) -> str:
    try:
        _object(body)
    except NotAnObject as error:
        return str(error)
    return "it is no JSON object"
