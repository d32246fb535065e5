"""What a fix can do to a document."""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any, Final, Protocol, final

import attrs

from lpa_core.events.coercion import is_number, scalar_text, whole_number
from lpa_replay.fix.paths import EVERY, Path, Slot, made, slots

_MOST_CHARACTERS: Final = 8 << 20
"""Of what a step makes; a broker takes records of a mebibyte by default."""


class FixStep(Protocol):
    """Changes a document in place. Raises ValueError, in words, where it cannot."""

    def apply(self, document: dict[str, Any]) -> None: ...


@final
@attrs.frozen
class Set:
    path: Path
    value: Any

    def apply(self, document: dict[str, Any]) -> None:
        places = _present(document, self.path, holder_only=True) if EVERY in self.path else [made(document, self.path)]
        if len(places) > 1:
            _require_size(len(json.dumps(self.value)) * len(places), self.path)
        for slot in places:
            slot.holder[slot.key] = copy.deepcopy(self.value)


@final
@attrs.frozen
class Remove:
    path: Path

    def apply(self, document: dict[str, Any]) -> None:
        for slot in _present(document, self.path):
            del slot.holder[slot.key]


@final
@attrs.frozen
class Rename:
    """Moves a value to another place; without ``*`` in either path."""

    path: Path
    to: Path

    def apply(self, document: dict[str, Any]) -> None:
        (slot,) = _present(document, self.path)
        target = made(document, self.to)
        if target.there:
            raise ValueError(f"{self.path} cannot be renamed: there is a {self.to} already")
        target.holder[target.key] = slot.holder.pop(slot.key)


@final
@attrs.frozen
class Cast:
    path: Path
    to: str

    def apply(self, document: dict[str, Any]) -> None:
        for slot in _present(document, self.path):
            found = CASTS[self.to](slot.holder[slot.key])
            if found is None:
                raise ValueError(f"{self.path} cannot be cast to {self.to}")
            slot.holder[slot.key] = found


@final
@attrs.frozen
class Replace:
    """Puts ``by`` in the place of ``text``, wherever that stands in the value."""

    path: Path
    text: str
    by: str

    def apply(self, document: dict[str, Any]) -> None:
        for slot in _present(document, self.path):
            value = slot.holder[slot.key]
            if not isinstance(value, str):
                raise ValueError(f"{self.path} is not text to replace in")
            grown = len(value) + value.count(self.text) * (len(self.by) - len(self.text))
            _require_size(grown, self.path)
            slot.holder[slot.key] = value.replace(self.text, self.by)


@final
@attrs.frozen
class Multiply:
    """Makes a number, or a text of digits, that many times as large, without what is behind the decimal point."""

    path: Path
    by: int | float

    def apply(self, document: dict[str, Any]) -> None:
        for slot in _present(document, self.path):
            value = slot.holder[slot.key]
            number = _number(whole_number(value) if isinstance(value, str) else value)
            if number is None:
                raise ValueError(f"{self.path} is not a number to multiply")
            # As they are written: 0.001 is not a double.
            slot.holder[slot.key] = int(Fraction(str(number)) * Fraction(str(self.by)))


def _require_size(characters: int, path: Path) -> None:
    """Raise ValueError before a value is made that no topic takes: each step may make it a thousand times longer."""
    if characters > _MOST_CHARACTERS:
        raise ValueError(f"{path} would have {characters:,} characters, and at most {_MOST_CHARACTERS:,} are allowed")


def _present(document: dict[str, Any], path: Path, *, holder_only: bool = False) -> list[Slot]:
    found = [slot for slot in slots(document, path) if holder_only or slot.there]
    if not found:
        raise ValueError(f"there is no {path}")
    return found


def _number(value: Any) -> float | int | None:
    if is_number(value):
        return value  # type: ignore[no-any-return]  # it is one
    try:
        number = float(value) if isinstance(value, str) and "_" not in value else math.nan
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _boolean(value: Any) -> bool | None:
    known = {"true": True, "1": True, "false": False, "0": False}
    text = scalar_text(value)
    return None if text is None else known.get(text.strip().lower())


CASTS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "text": scalar_text,
    "integer": whole_number,
    "number": _number,
    "boolean": _boolean,
}
