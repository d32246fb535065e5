"""An event type, with all that the pipeline works out before it judges a record."""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Any, final

import attrs

from lpa_core.events.coercion import blank
from lpa_core.events.envelope import WireEnvelope, wire_envelope
from lpa_core.events.event_type import EventType
from lpa_core.events.lenient_decoding import Coercion, coercion_for
from lpa_core.events.mismatch import RejectingShape
from lpa_core.events.model import carries_version
from lpa_core.events.row import MakeRows


@final
@attrs.frozen(slots=True)
class CompiledType:
    """An event type with all that can be worked out beforehand."""

    name: str
    envelope: type[WireEnvelope]
    coerce: Coercion
    make_rows: MakeRows
    filled: Callable[[Any], Any] | None
    """Gives the required attributes that the model does not prove: all of them true if none is missing or empty."""
    has_version: Callable[[Any], bool]
    needs_items: bool
    own_key: Callable[[Any], str] | None
    """Gives the text that tells repeats of an event that have other ids."""

    def claimed(self, data: Any, key: str, strategy: str) -> tuple[str, str]:
        """Dedup key and strategy of an event; ``key`` and ``strategy`` are those of its id or its content."""
        own = self.own_key(data) if self.own_key is not None else ""
        return (key, strategy) if blank(own) else (f"{self.name}|{own}", "data_id")


def _coercion(event_type: EventType) -> Coercion:
    coerce = coercion_for(event_type.decoded)
    if not event_type.rejects:
        return coerce
    return RejectingShape("", coerce, list if event_type.requires_items else dict)


def compile_type(event_type: EventType) -> CompiledType:
    filled: Callable[[Any], Any] | None = None
    if event_type.unproven:
        first = attrgetter(*event_type.unproven)
        filled = first if len(event_type.unproven) > 1 else lambda data: (first(data),)
    return CompiledType(
        name=event_type.name,
        envelope=wire_envelope(event_type.name, event_type.decoded),
        coerce=_coercion(event_type),
        make_rows=event_type.make_rows,
        filled=filled,
        has_version=carries_version(event_type.decoded),
        needs_items=event_type.requires_items,
        own_key=event_type.own_key,
    )
