"""Reads a fix file and checks all of it, so that nothing is read from a source for the sake of a file that is wrong.

```toml
[[fix]]
class = "SCHEMA_INVALID"            # each may be a list: class, reason, stage, type
reason = "missing_field"
where = [{ path = "data.pipeline", missing = true }]
steps = [{ set = "data.pipeline", value = "live-video-to-video" }]
```
"""

from __future__ import annotations

import json
import math
import re
import tomllib
from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path as FilePath
from typing import Any, Final, final

import attrs
import msgspec

from lpa_core.events.coercion import is_number
from lpa_core.invisible import text_of
from lpa_core.replays import ReplayRecord, ReplayRefused
from lpa_core.validation.reasons import FailureClass, Reason, Stage
from lpa_replay.fix.conditions import FailureCondition, Pattern, PayloadCondition
from lpa_replay.fix.paths import EVERY, Path
from lpa_replay.fix.steps import CASTS, Cast, FixStep, Multiply, Remove, Rename, Replace, Set

_MOST_CHARACTERS: Final = 262_144
"""Four times what can be edited in the console."""
_MOST_DOTS: Final = 200
"""In a line, outside of strings: more make a key with more names, or very many numbers."""
_MOST_NAMES: Final = 100
_STRINGS: Final = re.compile(r'"(?:[^"\\\n]|\\.)*+"?+|\'[^\'\n]*+\'?+')
_CONDITIONS: Final = ("class", "reason", "stage", "type")
_KNOWN: Final = {"class": FailureClass, "reason": Reason, "stage": Stage}
# A number too large for a double stays the number it was.
_decode: Final = msgspec.json.Decoder(
    float_hook=lambda text: number if math.isfinite(number := float(text)) else Decimal(text)
).decode
_encode: Final = msgspec.json.Encoder(decimal_format="number").encode
STEPS: Final = {
    "set": {"value"},
    "remove": set(),
    "rename": {"to"},
    "cast": {"to"},
    "replace": {"text", "by"},
    "multiply": {"by"},
}
"""What each step needs beside its path."""


@final
@attrs.frozen
class Fix:
    failure: FailureCondition
    where: tuple[PayloadCondition, ...]
    steps: tuple[FixStep, ...]

    def apply(self, record: ReplayRecord, document: dict[str, Any]) -> bool:
        """Repair the document where the fix is for it, and tell whether it was. Raises ValueError."""
        if not self.failure.holds(record) or not all(condition.holds(document) for condition in self.where):
            return False
        for step in self.steps:
            step.apply(document)
        return True


@final
@attrs.frozen
class FixFile:
    """The fixes of a file, in their order; each sees what the one before has made of a record."""

    text: str
    fixes: tuple[Fix, ...]

    def apply(self, record: ReplayRecord) -> bytes | None:
        """The record's new bytes; None if no fix is for it. Raises ValueError if one cannot do its work."""
        try:
            document = _decode(record.payload)
        except (ValueError, RecursionError):
            return None
        if not isinstance(document, dict):
            return None
        applied = [fix.apply(record, document) for fix in self.fixes]
        try:
            return _encode(document) if any(applied) else None
        except RecursionError:
            raise ValueError("the repaired record is nested too deep") from None


def read_fix_file(path: FilePath) -> FixFile:
    """Raises ReplayRefused if the file cannot be read, naming everything that is wrong in it, a line each."""
    try:
        return parse_fixes(text_of(path.read_bytes()), str(path))
    except OSError as error:
        raise ReplayRefused(f"{path}: {error.strerror}: --fix takes a TOML file of fixes") from None
    except ValueError as error:
        raise ReplayRefused(f"{path} {error}: --fix takes a TOML file of fixes") from None


def parse_fixes(text: str, name: str) -> FixFile:
    """``name`` is the file's, for messages. Raises ReplayRefused."""
    if len(text) > _MOST_CHARACTERS:
        raise ReplayRefused(f"{name} has {len(text):,} characters: a fix file has at most {_MOST_CHARACTERS:,}")
    try:
        _require_readable(text)
        content = tomllib.loads(text)
    except RecursionError:
        raise ReplayRefused(f"{name}: values are nested too deep") from None
    except ValueError as error:  # also of a number with too many digits
        raise ReplayRefused(f"{name} is not TOML: {error}") from None
    entries = content.pop("fix", None)
    if content or not isinstance(entries, list) or not entries:
        unknown = f": {', '.join(content)} is unknown" if content else ""
        raise ReplayRefused(f"{name} has to hold [[fix]] tables and nothing else{unknown}")
    fixes, problems = [], []
    for number, entry in enumerate(entries, 1):
        try:
            fixes.append(_fix(entry))
        except ValueError as error:
            problems.append(f"{name}: fix {number}: {error}")
    if problems:
        raise ReplayRefused(*problems)
    return FixFile(text, tuple(fixes))


def _require_readable(text: str) -> None:
    """Raise ValueError for what tomllib would read for minutes: its time grows with the square of a key's names."""
    for number, line in enumerate(_STRINGS.sub("", text).split("\n"), 1):
        if line.count(".") > _MOST_DOTS:
            raise ValueError(f"a key has too many names (at line {number})")


def _fix(entry: Any) -> Fix:
    table = _table(entry, {*_CONDITIONS, "where", "steps"}, "a fix")
    texts = {name: _texts(table.get(name, []), name) for name in _CONDITIONS}
    for name, known in _KNOWN.items():
        for value in texts[name]:
            names = [member.value for member in known]
            if value not in names:
                raise ValueError(f"there is no {name} {value!r}: there are {', '.join(names)}")
    where = _numbered(table.get("where", []), "condition", _condition)
    steps = _numbered(table.get("steps", []), "step", _step)
    if not steps:
        raise ValueError("it has no steps")
    return Fix(
        FailureCondition(texts["class"], texts["reason"], texts["stage"], texts["type"]),
        tuple(where),
        tuple(steps),
    )


def _condition(entry: Any) -> PayloadCondition:
    table = _table(entry, {"path", "missing", "equals", "matches"}, "a condition")
    tests = set(table) - {"path"}
    if "path" not in table or len(tests) != 1:
        raise ValueError("it needs a path, and one of missing, equals and matches")
    missing, matches = table.get("missing"), table.get("matches")
    if missing is not None and not isinstance(missing, bool):
        raise ValueError("missing is true or false")
    pattern = None if matches is None else Pattern(_text(matches, "matches"))
    return PayloadCondition(_path(table["path"]), missing, table.get("equals"), pattern)


def _step(entry: Any) -> FixStep:
    table = _table(entry, {*STEPS, *set().union(*STEPS.values())}, "a step")
    (kind, *others) = [name for name in STEPS if name in table] or [""]
    if not kind or others:
        raise ValueError(f"it has to be one of {', '.join(STEPS)}")
    if set(table) != {kind, *STEPS[kind]}:
        needed = " and ".join(sorted(STEPS[kind])) or "nothing"
        raise ValueError(f"{kind} needs {needed} beside its path")
    path = _path(table[kind])
    match kind:
        case "set":
            return Set(path, _json_value(table["value"]))
        case "remove":
            return Remove(path)
        case "rename":
            target = _path(table["to"])
            if EVERY in path or EVERY in target:
                raise ValueError(f"rename takes no {EVERY} in its paths")
            return Rename(path, target)
        case "cast":
            if _text(table["to"], "to") not in CASTS:
                raise ValueError(f"cast goes to one of {', '.join(CASTS)}")
            return Cast(path, table["to"])
        case "multiply":
            by = table["by"]
            if not is_number(by) or not by or not _is_double(by):
                raise ValueError("by is a number other than 0, such as 1000 or 0.001")
            return Multiply(path, by)
        case _:
            text = _text(table["text"], "text")
            if not text:
                raise ValueError("replace needs some text to look for")
            return Replace(path, text, _text(table["by"], "by"))


def _numbered(entries: Any, what: str, read: Callable[[Any], Any]) -> list[Any]:
    if not isinstance(entries, list):
        raise ValueError(f"{what}s have to be a list of tables")
    found = []
    for number, entry in enumerate(entries, 1):
        try:
            found.append(read(entry))
        except ValueError as error:
            raise ValueError(f"{what} {number}: {error}") from None
    return found


def _table(entry: Any, known: set[str], what: str) -> Mapping[str, Any]:
    if not isinstance(entry, dict):
        raise ValueError(f"{what} has to be a table")
    unknown = sorted(set(entry) - known)
    if unknown:
        raise ValueError(f"{', '.join(unknown)} is unknown: {what} takes {', '.join(sorted(known))}")
    return entry


def _path(value: Any) -> Path:
    path = Path.parse(_text(value, "a path"))
    if len(path) > _MOST_NAMES:
        raise ValueError(f"a path has {len(path):,} names, and at most {_MOST_NAMES} are allowed")
    return path


def _is_double(number: int | float) -> bool:
    try:
        return math.isfinite(number)
    except OverflowError:
        return False


def _text(value: Any, what: str) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{what} has to be text")
    return value


def _texts(value: Any, what: str) -> tuple[str, ...]:
    values = value if isinstance(value, list) else [value]
    return tuple(_text(each, what) for each in values)


def _json_value(value: Any) -> Any:
    try:
        return json.loads(json.dumps(value, allow_nan=False))
    except (TypeError, ValueError, RecursionError):
        raise ValueError("value has to be what JSON can hold") from None
