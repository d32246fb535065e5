"""The envelope around every event (docs/spec/events.md section 1)."""

from __future__ import annotations

import functools
from typing import Annotated, Any, cast, final

import msgspec


class WireEnvelope(
    msgspec.Struct,
    gc=False,
    tag_field="type",
    rename={
        "replay": "__replay",
        "replay_id": "__replay_id",
        "replay_attempt": "__replay_attempt",
        "replay_record_ms": "__replay_record_ms",
    },
):
    """A well-formed envelope as msgspec reads it: one of the structs that :func:`wire_envelope` makes.

    A struct, not an attrs class: attrs attributes cannot be named ``__replay``. What does not
    fit is looked at field by field by the validator chain.
    """

    timestamp: str | int
    id: str = ""
    gateway: str = ""
    version: str | int | None = None
    replay: bool = False
    replay_id: str = ""
    replay_attempt: Annotated[int, msgspec.Meta(ge=0, le=2**16 - 1)] = 0
    replay_record_ms: int | None = None


@functools.cache  # a start makes a pipeline for each plugin, of mostly the same event types
def wire_envelope(event_type: str, model: Any) -> type[WireEnvelope]:
    """The envelope of an event type, with ``data`` as its model; its ``type`` tells msgspec which one to read."""
    made = msgspec.defstruct(
        event_type, [("data", model)], bases=(WireEnvelope,), tag=event_type, kw_only=True, gc=False
    )
    return cast(type[WireEnvelope], made)


@final
class Envelope(msgspec.Struct, gc=False, frozen=True):
    """An envelope after coercion. One is made per event, hence a struct that the collector skips."""

    type: str
    id: str
    timestamp: int
    """Epoch ms."""
    gateway: str
    version: str
    replay: bool
    replay_id: str
    replay_attempt: int
