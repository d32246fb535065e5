"""The JSON Schema of well-formed events, for producers."""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce
from operator import or_
from typing import Any

import msgspec

from lpa_core.events.envelope import wire_envelope
from lpa_core.events.event_type import EventType


def json_schema(event_types: Iterable[EventType]) -> dict[str, Any]:
    """The schema, of draft 2020-12, of records of which nothing has to be coerced. There is at least one event type."""
    envelopes: list[Any] = [wire_envelope(each.name, each.decoded) for each in event_types]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Well-formed events",
        **msgspec.json.schema(reduce(or_, envelopes)),
    }
