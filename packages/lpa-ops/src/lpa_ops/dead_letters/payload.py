"""What was sent, as people read it."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Any, Final

from lpa_core.dedup.key import REPLAY_PREFIX

# What is kept of a payload may be cut short, so it is not decoded; a replay writes its marks first.
_MARKS: Final = re.compile(rf'\A\{{(?:"{REPLAY_PREFIX}\w*":(?:"(?:[^"\\]|\\.)*"|[-\w]+),?)+')


def without_marks(payload: str) -> str:
    """The payload of a replayed record as it was before: the marks at its beginning are left out."""
    return _MARKS.sub("{", payload)


def payload_text(letter: Mapping[str, Any]) -> str:
    """What was sent, as text: bytes that are not text are escaped."""
    body: str = letter["payload_body"]
    if letter["payload_encoding"] != "base64":
        return body
    try:
        return base64.b64decode(body).decode("utf-8", "backslashreplace")
    except binascii.Error:
        return body
