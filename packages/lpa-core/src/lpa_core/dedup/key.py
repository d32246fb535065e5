"""The dedup key of an event that has no id (spec/events.md section 6).

The rule and its test vectors are published in ``docs/dedup-key.md``; the text must stay the
same over releases, because keys are stored.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

REPLAY_PREFIX = "__replay"
"""Root keys that begin so are marks of a replay, not part of the event."""

_encode = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode


def canonical_json(document: Any) -> str:
    """The one text of a decoded JSON document, whatever its order of keys and its spaces.

    Keys are sorted by Unicode code point at every level, separators are ``,`` and ``:``,
    only ``"``, ``\\`` and control characters are escaped. Integers are written in full,
    floats as Python's ``repr`` (the shortest text that reads back equal), the non-finite as
    ``NaN``, ``Infinity`` and ``-Infinity``.
    """
    return _encode(document)


def payload_hash(
    event_type: str,
    orchestrator: str | None,
    broadcaster: str | None,
    region: str | None,
    document: Mapping[str, Any],
) -> str:
    """SHA-256, in lower-case hex, of the event's type, dimensions and canonical JSON.

    Args:
        orchestrator, broadcaster, region: the dimensions of spec/events.md section 1.1;
            None counts as the text ``null``.
        document: the decoded root object; its ``__replay…`` keys are left out.
    """
    event = {key: value for key, value in document.items() if not key.startswith(REPLAY_PREFIX)}
    dimensions = ["null" if value is None else value for value in (orchestrator, broadcaster, region)]
    return sha256("|".join([event_type, *dimensions, canonical_json(event)]).encode()).hexdigest()
