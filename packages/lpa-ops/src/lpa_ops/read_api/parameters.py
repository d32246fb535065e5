"""What a request may ask: parameters of the query, each with its schema and its reading."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, final

import attrs

from lpa_core.errors import UsageError
from lpa_core.time_window import parse_duration, parse_time
from lpa_ops.read_api.cursor import MAX_CHARACTERS, read_cursor
from lpa_ops.read_api.problem import bad_request

HOUR_MS: Final = 3_600_000
MOST_HOURS: Final = 168
_TEXT_CHARACTERS: Final = 256
_VISIBLE: Final = r"^[^\u0000-\u001f\u007f]*$"
_MINUTES: Final = "[1-9][0-9]{0,3}|100[0-7][0-9]|10080"
_HOURS_OR_DAYS: Final = "(?:[1-9][0-9]?|1[0-5][0-9]|16[0-8])h|[1-7]d"
"""A week at most: 10080 minutes, 168 hours."""
_OF_OTHER_PAGING: Final = ("offset", "page", "page_size")


@final
@attrs.frozen
class Parameter:
    """A parameter of a route.

    Attributes:
        schema: JSON Schema of its text.
        accepts: what it has to be, in words.
        read: its value, from its text and the time of the request, epoch ms; raises ValueError or UsageError.
        default: its value in a request without it.
        many: it may come several times; its value is a list.
    """

    name: str
    meaning: str
    schema: Mapping[str, Any]
    accepts: str
    read: Callable[[str, int], Any]
    default: Any = None
    many: bool = False


def read_parameters(parameters: Sequence[Parameter], given: Sequence[tuple[str, str]], now_ms: int) -> dict[str, Any]:
    """The values of a request's parameters. Raises ReadRefused for what is wrong or unknown."""
    known = {parameter.name: parameter for parameter in parameters}
    values: dict[str, Any] = {name: each.default for name, each in known.items()}
    several: dict[str, list[Any]] = {}
    for name, text in given:
        parameter = known.get(name)
        if parameter is None:
            raise bad_request(_unknown(name, known))
        if name in several and not parameter.many:
            raise bad_request(f"{name} is given twice: give it once")
        try:
            several.setdefault(name, []).append(parameter.read(text, now_ms))
        except UsageError as error:
            raise bad_request(str(error)) from None
        except (ValueError, OverflowError):
            raise bad_request(f"{name} is not {parameter.accepts}") from None
    return values | {name: found if known[name].many else found[0] for name, found in several.items()}


def _unknown(name: str, known: Mapping[str, Parameter]) -> str:
    if name in _OF_OTHER_PAGING and "cursor" in known:
        return f"{name} is not used here: send limit, and cursor with the next_cursor of the page before"
    shown = name if name.isprintable() and len(name) < 40 else "a parameter"
    return f"{shown} is not known here: {', '.join(known) or 'there are no parameters'}"


def label(name: str, meaning: str) -> Parameter:
    """A label that rows are to have."""
    schema = {"type": "string", "maxLength": _TEXT_CHARACTERS, "pattern": _VISIBLE}
    accepts = f"a text of at most {_TEXT_CHARACTERS} characters without control characters"
    return Parameter(name, meaning, schema, accepts, _text)


def limit(default: int, most: int) -> Parameter:
    """How many rows are wanted."""

    def read(text: str, now_ms: int) -> int:
        if not re.fullmatch("[1-9][0-9]{0,5}", text) or int(text) > most:
            raise ValueError
        return int(text)

    schema = {"type": "integer", "minimum": 1, "maximum": most, "default": default}
    return Parameter("limit", "Rows at most.", schema, f"a whole number from 1 to {most}", read, default)


def duration(name: str, meaning: str, default: str) -> Parameter:
    """How far back, milliseconds."""

    def read(text: str, now_ms: int) -> int:
        milliseconds = parse_duration(text, name) if re.fullmatch("[1-9][0-9]{0,4}[mhd]", text) else 0
        if not 0 < milliseconds <= MOST_HOURS * HOUR_MS:
            raise ValueError
        return milliseconds

    accepts = f"minutes, hours or days such as 30m, 24h or 7d, {MOST_HOURS}h at most"
    pattern = f"^(?:(?:{_MINUTES})m|{_HOURS_OR_DAYS})$"
    schema = {"type": "string", "pattern": pattern, "default": default, "examples": ["24h", "7d"]}
    return Parameter(name, f"{meaning}: {accepts}.", schema, accepts, read, read(default, 0))


def whole_hours(name: str, meaning: str, default: int) -> Parameter:
    """How many hours back."""

    def read(text: str, now_ms: int) -> int:
        found = re.fullmatch("([1-9][0-9]{0,2})([hd])", text)
        hours = int(found[1]) * (24 if found[2] == "d" else 1) if found else 0
        if not 0 < hours <= MOST_HOURS:
            raise ValueError
        return hours

    accepts = f"hours or days such as 24h or 7d, {MOST_HOURS}h at most"
    pattern = f"^(?:{_HOURS_OR_DAYS})$"
    schema = {"type": "string", "pattern": pattern, "default": f"{default}h", "examples": ["24h", "7d"]}
    return Parameter(name, f"{meaning}: {accepts}.", schema, accepts, read, default)


def moment(name: str, meaning: str) -> Parameter:
    """A time, epoch ms, in the grammar of all commands."""
    schema = {"type": "string", "examples": ["2026-01-08T12:00:00Z", "7d"]}
    return Parameter(name, meaning, schema, "a time", lambda text, now_ms: parse_time(text, name, now_ms))


def cursor(keys: Sequence[str]) -> Parameter:
    """Where the page before ended."""
    schema = {"type": "string", "pattern": "^[A-Za-z0-9_-]+$", "maxLength": MAX_CHARACTERS}
    meaning = "Where to go on: next_cursor of the page before."
    return Parameter("cursor", meaning, schema, "a cursor of this route", lambda text, now_ms: read_cursor(text, keys))


def capabilities() -> Parameter:
    """Which pipelines and models are wanted; any of them will do."""

    def read(text: str, now_ms: int) -> tuple[str, str]:
        pipeline, slash, model = _text(text, now_ms).partition("/")
        if not (pipeline and slash and model):
            raise ValueError
        return pipeline, model

    pattern = r"^[^\u0000-\u001f\u007f/]+/[^\u0000-\u001f\u007f]+$"
    schema = {"type": "string", "maxLength": _TEXT_CHARACTERS, "pattern": pattern}
    accepts = "a pipeline and a model, such as live-video-to-video/streamdiffusion"
    return Parameter("caps", f"Several mean any of them: {accepts}.", schema, accepts, read, [], many=True)


def _text(text: str, now_ms: int) -> str:
    if len(text) > _TEXT_CHARACTERS or not re.fullmatch(r"[^\x00-\x1f\x7f]*", text) or "\ufffd" in text:
        raise ValueError
    return text


ORG: Final = label("org", "Only what belongs to this org; an empty text is that of events without one.")
PIPELINE: Final = label("pipeline", "Only this pipeline.")
MODEL: Final = label("model_id", "Only this model.")
