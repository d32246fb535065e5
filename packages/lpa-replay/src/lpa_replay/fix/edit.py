"""The fix file that says what somebody changed in one record, so that others like it can be repaired the same way."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Final, final

import attrs
import msgspec

from lpa_core.replays import ReplayRefused
from lpa_replay.fix.paths import Path

_decode: Final = msgspec.json.Decoder().decode
_encode: Final = msgspec.json.Encoder().encode


@final
@attrs.frozen
class FailureOf:
    """Which records a fix is for; an empty text stands for any."""

    failure_class: str
    failure_reason: str
    event_type: str


def fix_of_edit(before: bytes, after: bytes, failure: FailureOf) -> str:
    """The text of a fix file that makes ``after`` of ``before``, a fix for each value that differs.

    A value is set where it was missing, or was exactly what it was in this record, so a record that is wrong in another
    way is left as it is. Arrays are set as a whole. Empty if nothing differs.

    Raises ReplayRefused if a fix file cannot say it, or one of the records is not a JSON object.
    """
    old, new = _object(before, "the record"), _object(after, "the edited record")
    conditions = {
        "class": failure.failure_class,
        "reason": failure.failure_reason,
        "type": failure.event_type,
    }
    head = [f"{name} = {_toml(value, name)}" for name, value in conditions.items() if value]
    try:
        return "\n".join(
            "\n".join(["[[fix]]", *head, *([f"where = [{where}]"] if where else []), f"steps = [{step}]", ""])
            for where, step in _steps((), old, new)
        )
    except RecursionError:
        raise ReplayRefused("values are nested too deep: a fix file cannot say what changed") from None


def _object(record: bytes, which: str) -> dict[str, Any]:
    try:
        document = _decode(record)
    except (ValueError, RecursionError) as error:
        raise ReplayRefused(f"{which} is not JSON ({error}): a fix file changes values of JSON objects") from None
    if not isinstance(document, dict):
        raise ReplayRefused(f"{which} is not a JSON object: a fix file changes values of JSON objects")
    return document


def _steps(path: tuple[str, ...], old: dict[str, Any], new: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Condition and step for each value that differs."""
    for name in old | new:
        place = (*path, name)
        if name in old and name in new:
            if isinstance(old[name], dict) and isinstance(new[name], dict):
                yield from _steps(place, old[name], new[name])
            elif _encode(old[name]) != _encode(new[name]):
                where = _missing(place) if old[name] is None else _equals(place, old[name])
                yield where, _set(place, new[name])
        elif name in new:
            yield _missing(place), _set(place, new[name])
        else:
            # A fix file has no word for a null that is there.
            where = "" if old[name] is None else _equals(place, old[name])
            yield where, f"{{ remove = {_path(place)} }}"


def _missing(place: tuple[str, ...]) -> str:
    return f"{{ path = {_path(place)}, missing = true }}"


def _equals(place: tuple[str, ...], old: Any) -> str:
    return f"{{ path = {_path(place)}, equals = {_toml(old, '.'.join(place))} }}"


def _set(place: tuple[str, ...], value: Any) -> str:
    return f"{{ set = {_path(place)}, value = {_toml(value, '.'.join(place))} }}"


def _path(place: tuple[str, ...]) -> str:
    text = ".".join(place)
    try:
        named = Path.parse(text) == place and "*" not in place
    except ValueError:
        named = False
    if not named:
        raise ReplayRefused(f"{text!r}: the path of a fix file cannot name this key: only a plugin's transform can")
    return _toml(text, text)


def _toml(value: Any, place: str) -> str:
    """The value as TOML 1.0 has it. Characters that do not print are escapes."""
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return f'"{"".join(map(_escaped, value))}"'
        case int():
            return str(value)
        case float() if math.isfinite(value):
            return repr(value)
        case list():
            return f"[{', '.join(_toml(each, place) for each in value)}]"
        case dict() if value:
            fields = [f"{_toml(name, place)} = {_toml(each, place)}" for name, each in value.items()]
            return f"{{ {', '.join(fields)} }}"
        case dict():
            return "{}"
        case _:
            raise ReplayRefused(f"{place}: a fix file cannot hold null: leave the value out instead")


def _escaped(character: str) -> str:
    if character in '"\\':
        return f"\\{character}"
    if character.isprintable():
        return character
    return f"\\u{ord(character):04x}" if ord(character) < 0x10000 else f"\\U{ord(character):08x}"
