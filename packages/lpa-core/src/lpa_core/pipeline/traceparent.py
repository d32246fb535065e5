"""The header ``traceparent`` of a record: the trace of its producer (W3C Trace Context, level 1)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

TRACEPARENT: Final = "traceparent"
_VERSION_0: Final = re.compile(rb"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
_LATER: Final = re.compile(rb"(?!ff)[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}(-[!-~]{0,200})?")
_NO_TRACE: Final = b"0" * 32
_NO_PARENT: Final = b"0" * 16


def traceparent_of(headers: Sequence[tuple[str, bytes | None]] | None) -> str:
    """The first ``traceparent`` among the headers; empty if there is none that the standard allows.

    What a later version of the standard appends is kept. Names of headers have no case.
    """
    for name, value in headers or ():
        if name.lower() == TRACEPARENT and value is not None:
            return value.decode() if _is_valid(value) else ""
    return ""


def _is_valid(value: bytes) -> bool:
    form = _VERSION_0 if value.startswith(b"00") else _LATER
    if form.fullmatch(value) is None:
        return False
    _, trace, parent, *_ = value.split(b"-")
    return trace != _NO_TRACE and parent != _NO_PARENT
