"""A record as a JSON document: what validators look at."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final, final

import attrs
import msgspec

from lpa_core.events.coercion import MAX_EPOCH_MS, blank, epoch, scalar_text, whole_number
from lpa_core.events.event_type import EventType
from lpa_core.events.times import EARLIEST_EVENT_MS

_MISSING = object()

# A number too large for a double is infinite here, and then coerced like any other unusable value.
_decode = msgspec.json.Decoder(float_hook=float).decode
_MOST_DIGITS: Final = 4300
"""Python reads no longer integer, and msgspec refuses a document with one."""


def decoded(value: bytes) -> Any:
    """A record's bytes as JSON. Numbers that nothing can hold are infinite. Raises ValueError, RecursionError."""
    try:
        return _decode(value)
    except msgspec.ValidationError:  # without a type to validate against only an integer of too many digits is one
        return _with_long_integers(value)


def _with_long_integers(value: bytes) -> Any:
    def integer(digits: str) -> int | float:
        if len(digits) <= _MOST_DIGITS:
            return int(digits)
        return -math.inf if digits.startswith("-") else math.inf

    def constant(name: str) -> Any:
        raise ValueError(f"{name} is not JSON")

    root = json.loads(value.decode(), parse_int=integer, parse_constant=constant)
    json.dumps(root, ensure_ascii=False).encode()  # json lets lone surrogates through, which no column can hold
    return root


@final
@attrs.frozen(slots=True, repr=False)
class Document:
    """The decoded root of a record, with the lookups that validators share.

    ``root`` is any JSON value: until the first validator has passed it need not be an object. ``latest_ms`` is the
    latest time, epoch ms, that its event may have.
    """

    root: Any
    event_types: Mapping[str, EventType]
    latest_ms: int = MAX_EPOCH_MS

    @property
    def event_type(self) -> EventType | None:
        name = self.value("type")
        return self.event_types.get(name) if isinstance(name, str) else None

    def has(self, path: str) -> bool:
        return self._find(path) is not _MISSING

    def value(self, path: str) -> Any:
        """The value at a dotted path of object keys; None if there is none."""
        found = self._find(path)
        return None if found is _MISSING else found

    def text(self, path: str) -> str:
        """The scalar at the path as text; empty if there is none."""
        return scalar_text(self.value(path)) or ""

    @property
    def sent_time(self) -> int | None:
        """The envelope's ``timestamp`` as epoch ms, believed or not; None if it is not a whole number."""
        return epoch(self.value("timestamp"))

    @property
    def timestamp(self) -> int | None:
        """The time of the event, epoch ms; None if there is none that is believed."""
        sent = self.sent_time
        return sent if sent is not None and EARLIEST_EVENT_MS <= sent <= self.latest_ms else None

    @property
    def version(self) -> str | None:
        """The root's ``version``, else that of an object ``data``; a number as whole-number text."""
        for path in ("version", "data.version"):
            found = self.value(path)
            whole = None if isinstance(found, str) else whole_number(found)
            text = scalar_text(found) if whole is None else str(whole)
            if text:
                return text
        return None

    def dimension(self, name: str) -> str | None:
        """``orchestrator``, ``broadcaster`` or ``region`` of the event (docs/spec/events.md section 1.1)."""
        if name == "orchestrator":
            address = self.text("data.orchestrator_info.address")
            if not blank(address):
                return address
        return self.text(f"data.{name}") or None

    def _find(self, path: str) -> Any:
        found = self.root
        for step in _steps(path):
            if not isinstance(found, dict):
                return _MISSING
            found = found.get(step, _MISSING)
        return found


@lru_cache(maxsize=1024)
def _steps(path: str) -> tuple[str, ...]:
    return tuple(path.split("."))
