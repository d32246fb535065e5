"""What was sent, as people read it."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from lpa_core.dedup.key import REPLAY_PREFIX

# What is kept of a payload may be cut short, so it is not decoded; a replay writes its marks first.
_MARKS: Final = re.compile(rf'\A\{{(?:"{REPLAY_PREFIX}\w*":(?:"(?:[^"\\]|\\.)*"|[-\w]+),?)+')
_STRUCTURE: Final = re.compile(r'"(?:[^"\\]|\\.)*+"?|[\[{\]},]')
_INDENT: Final = 2
_MOST_INDENTS: Final = 1 << 20
"""Characters of indents in all. A payload that is only deep has more of them than of anything else."""


def without_marks(payload: str) -> str:
    """The payload of a replayed record as it was before: the marks at its beginning are left out."""
    return _MARKS.sub("{", payload)


def indented(payload: str) -> str:
    """The payload with a line for each value; empty if it is not JSON, or so deep that indents would fill memory."""
    depth = indents = 0
    for found in _STRUCTURE.finditer(payload):
        mark = found[0]
        depth += (mark in "[{") - (mark in "]}")
        indents += _INDENT * depth if mark in "[{]}," else 0
        if indents > _MOST_INDENTS:
            return ""
    try:
        return msgspec.json.format(payload, indent=_INDENT)
    except (ValueError, RecursionError):
        return ""


def payload_text(letter: Mapping[str, Any]) -> str:
    """What was sent, as text: bytes that are not text are escaped."""
    body: str = letter["payload_body"]
    if letter["payload_encoding"] != "base64":
        return body
    try:
        return base64.b64decode(body).decode("utf-8", "backslashreplace")
    except binascii.Error:
        return body
