"""Where a document that has no envelope says what an envelope says: its id, its time, its gateway."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any, Final, final

import attrs

from lpa_core.argument_checks import items, require_text, shown_type
from lpa_core.events.coercion import is_number, scalar_text
from lpa_core.events.paths import steps

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)
_LARGEST: Final = 1e30
"""No time in any unit is as large; arithmetic with what is larger takes long."""
_MOST_DIGITS: Final = 40


class TimeFormat(StrEnum):
    """How a document writes its time."""

    SECONDS = "seconds"
    MILLISECONDS = "milliseconds"
    MICROSECONDS = "microseconds"
    NANOSECONDS = "nanoseconds"
    ISO8601 = "iso8601"
    """Text such as ``2026-01-08T12:00:00Z``; without a zone it is UTC."""

    def epoch_ms(self, value: Any) -> int | None:
        """The time as epoch milliseconds, rounded down; None if the value is not such a time."""
        if self is TimeFormat.ISO8601:
            return _of_text(value) if isinstance(value, str) else None
        number = _number(value)
        return None if number is None else int(number // _PER_MILLISECOND[self])


_PER_MILLISECOND: Final = {
    TimeFormat.SECONDS: Decimal("0.001"),
    TimeFormat.MILLISECONDS: Decimal(1),
    TimeFormat.MICROSECONDS: Decimal(1_000),
    TimeFormat.NANOSECONDS: Decimal(1_000_000),
}


def _of_text(text: str) -> int | None:
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return ((moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)) - _EPOCH) // _MILLISECOND


def _number(value: Any) -> Decimal | None:
    if isinstance(value, str):
        text = value.strip()
        try:
            number = Decimal(text) if len(text) <= _MOST_DIGITS and "_" not in text else None
        except InvalidOperation:
            return None
        return number if number is not None and number.is_finite() and abs(number) < _LARGEST else None
    if not is_number(value) or not -_LARGEST < value < _LARGEST:
        return None
    return Decimal(value) if isinstance(value, int) else Decimal(repr(value))


@final
@attrs.frozen
class EnvelopeMapping:
    """Says which documents without an envelope are events of a type, and where in them an envelope's values are.

    Paths are of objects, such as ``device.id``. All conditions have to hold, and there is at least one.

    Attributes:
        timestamp: the path of the time when the event happened.
        time: how that is written.
        has: paths at which such a document has something, be it null.
        when: path -> texts: such a document has one of them there.
        id: the paths of which the event's id is made: their texts, joined by ``|``. If one is missing, or none is
            given, the content tells events apart.
        gateway: the path of who sent it.
        data: the path of the event's data; empty if the whole document is that.

    Raises ValueError at what is not so.
    """

    timestamp: str
    time: TimeFormat = TimeFormat.MILLISECONDS
    has: tuple[str, ...] = attrs.field(default=(), kw_only=True)
    when: Mapping[str, Collection[str]] = attrs.field(factory=dict[str, Collection[str]], kw_only=True)
    id: tuple[str, ...] = attrs.field(default=(), kw_only=True)
    gateway: str = attrs.field(default="", kw_only=True)
    data: str = attrs.field(default="", kw_only=True)

    def __attrs_post_init__(self) -> None:
        require_text("envelope: timestamp", self.timestamp)
        if not isinstance(self.time, TimeFormat):
            raise ValueError(f"envelope: time is {shown_type(self.time)}: it must be a TimeFormat")
        for name in ("has", "id"):
            object.__setattr__(self, name, items(f"envelope: {name}", getattr(self, name), str))
        for name in ("gateway", "data"):
            require_text(f"envelope: {name}", getattr(self, name), empty=True)
        if not isinstance(self.when, Mapping):
            raise ValueError(f"envelope: when is {shown_type(self.when)}: it must be a dict of paths and texts")
        for path, texts in self.when.items():
            given = list(texts) if isinstance(texts, set | frozenset) else texts
            if not items(f"envelope: when {path}", given, str):
                raise ValueError(f"envelope: when {path} is empty: give the texts that such a document has there")
        if not (self.has or self.when):
            raise ValueError("envelope: neither has nor when: name what tells such a document from others")
        for path in self._paths():
            try:
                if any(step.of_array for step in steps(path)) or path.startswith("$"):
                    raise ValueError(f"{path!r} is not a path of objects: write it like a.b")
            except ValueError as error:
                raise ValueError(f"envelope: {error}") from None

    def _paths(self) -> Iterator[str]:
        yield from (self.timestamp, *self.has, *self.when, *self.id)
        yield from (path for path in (self.gateway, self.data) if path)

    def takes(self, document: Mapping[str, Any]) -> bool:
        """Whether a document is an event of the type."""
        return all(found(document, path) is not MISSING for path in self.has) and all(
            scalar_text(found(document, path)) in texts for path, texts in self.when.items()
        )

    def event_id(self, document: Mapping[str, Any]) -> str:
        texts = [scalar_text(found(document, path)) for path in self.id]
        return "|".join(text for text in texts if text) if all(texts) else ""

    def epoch_ms(self, document: Mapping[str, Any]) -> int | None:
        return self.time.epoch_ms(found(document, self.timestamp))


MISSING: Final = object()


def found(document: Any, path: str) -> Any:
    """The value at a path of objects, or :data:`MISSING`."""
    for step in path.split("."):
        if not isinstance(document, Mapping):
            return MISSING
        document = document.get(step, MISSING)
    return document
