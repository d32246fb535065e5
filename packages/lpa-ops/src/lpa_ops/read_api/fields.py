"""What a row of a route has: fields, as they are in the database and as JSON and CSV have them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

_WHOLE: Final = re.compile(r"U?Int(8|16|32|64)")
_ARRAY: Final = re.compile(r"Array\((.+)\)")
_OPTIONAL: Final = re.compile(r"(?:LowCardinality\()?Nullable\((.+?)\)+")


class Field(NamedTuple):
    """A field, its type in ClickHouse, and what it means."""

    name: str
    type: str
    meaning: str = ""


def row_schema(fields: Sequence[Field]) -> dict[str, Any]:
    """JSON Schema of a row as :func:`as_objects` makes it."""
    return {
        "type": "object",
        "required": [field.name for field in fields],
        "additionalProperties": False,
        "properties": {
            field.name: _schema(field.type) | ({"description": field.meaning} if field.meaning else {})
            for field in fields
        },
    }


def as_objects(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> list[dict[str, Any]]:
    """Rows of the database as JSON has them: times in RFC 3339, infinities and NaN as null."""
    return [{name: _value(value) for name, value in zip(names, row, strict=True)} for row in rows]


def epoch_ms(moment: datetime) -> int:
    """Of a time that the database gave; it is in UTC if it has no zone."""
    return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)


def as_text(value: Any) -> str:
    """A value of :func:`as_objects` as CSV has it: empty for null, a list with spaces between."""
    if isinstance(value, list):
        return " ".join(map(as_text, value))
    return "" if value is None else str(value)


def _schema(type_: str) -> dict[str, Any]:
    if optional := _OPTIONAL.fullmatch(type_):
        schema = _schema(optional[1])
        return schema | {"type": [*_listed(schema["type"]), "null"]}
    if array := _ARRAY.fullmatch(type_):
        return {"type": "array", "items": _schema(array[1])}
    if whole := _WHOLE.fullmatch(type_):
        least = {"minimum": 0} if type_.startswith("U") else {}
        return {"type": "integer", "format": f"int{whole[1]}"} | least
    if type_.startswith("Float"):
        return {"type": ["number", "null"]}
    if type_.startswith("DateTime64"):
        return {"type": "string", "format": "date-time"}
    if type_ == "Bool":
        return {"type": "boolean"}
    return {"type": "string"}


def _listed(types: str | list[str]) -> list[str]:
    return [types] if isinstance(types, str) else [name for name in types if name != "null"]


def _value(value: Any) -> Any:
    if isinstance(value, datetime):
        text = value.astimezone(UTC) if value.tzinfo else value
        return f"{text:%Y-%m-%dT%H:%M:%S}.{text.microsecond // 1000:03d}Z"
    if isinstance(value, float):
        return value if value - value == 0 else None
    if isinstance(value, Mapping):
        return {name: _value(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_value(each) for each in value]
    return value.decode(errors="backslashreplace") if isinstance(value, bytes) else value
