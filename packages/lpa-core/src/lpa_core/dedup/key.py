"""The dedup key of an event that has no id (docs/spec/events.md section 6).

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
    try:
        return _encode(document)
    except RecursionError:
        return _encode_deep(document)


def _encode_deep(document: Any) -> str:
    """What ``_encode`` gives, for documents nested deeper than it can go from here.

    A decoder that is called from fewer frames goes a few levels deeper, and what it lets
    through must have a key.
    """
    text: list[str] = []
    pending: list[tuple[bool, Any]] = [(False, document)]
    while pending:
        is_text, item = pending.pop()
        if is_text:
            text.append(item)
        elif isinstance(item, dict) and item:
            parts = [(f"{_encode(key)}:", item[key]) for key in sorted(item)]
            pending += _members("{", parts, "}")
        elif isinstance(item, list) and item:
            pending += _members("[", [("", member) for member in item], "]")
        else:
            text.append(_encode(item))
    return "".join(text)


def _members(opening: str, members: list[tuple[str, Any]], closing: str) -> list[tuple[bool, Any]]:
    """The parts of an object or array, the last first; each is finished text or a value."""
    parts: list[tuple[bool, Any]] = [(True, closing)]
    for index in range(len(members) - 1, -1, -1):
        name, value = members[index]
        parts += [(False, value), (True, f",{name}" if index else f"{opening}{name}")]
    return parts


def payload_hash(
    event_type: str,
    orchestrator: str | None,
    broadcaster: str | None,
    region: str | None,
    document: Mapping[str, Any],
) -> str:
    """SHA-256, in lower-case hex, of the event's type, dimensions and canonical JSON.

    Args:
        orchestrator, broadcaster, region: the dimensions of docs/spec/events.md section 1.1;
            None counts as the text ``null``.
        document: the decoded root object; its ``__replay…`` keys are left out.
    """
    event = {key: value for key, value in document.items() if not key.startswith(REPLAY_PREFIX)}
    dimensions = ["null" if value is None else value for value in (orchestrator, broadcaster, region)]
    return sha256("|".join([event_type, *dimensions, canonical_json(event)]).encode()).hexdigest()
