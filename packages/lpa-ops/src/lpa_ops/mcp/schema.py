"""The JSON schema of what a tool takes, and what it says to a call that does not keep to it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

import msgspec

_REFERENCE: Final = "#/$defs/"
_PLACE: Final = re.compile(r"`\$\.(\w+)")


def schema_of(arguments: type[msgspec.Struct]) -> dict[str, Any]:
    """JSON schema of an object, whole: what it refers to stands where it is used."""
    _, components = msgspec.json.schema_components((arguments,), ref_template=f"{_REFERENCE}{{name}}")
    schema: dict[str, Any] = _whole(components[arguments.__name__], components)
    return schema


def advice(error: msgspec.ValidationError, schema: Mapping[str, Any]) -> str:
    """What would be right: the values of an argument that takes only some, else the names of all arguments."""
    properties = schema["properties"]
    place = _PLACE.search(str(error))
    values = _values(properties[place[1]]) if place and place[1] in properties else []
    if values:
        return f"it takes {', '.join(values)}"
    if place:
        return "see the schema of the tool's arguments"
    return f"it takes {', '.join(f'`{name}`' for name in properties) or 'no arguments'}"


def _whole(schema: Any, components: Mapping[str, Any]) -> Any:
    if isinstance(schema, list):
        return [_whole(each, components) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        schema = {**components[schema["$ref"].removeprefix(_REFERENCE)], **schema}
    return {name: _whole(value, components) for name, value in schema.items() if name not in ("$ref", "title")}


def _values(schema: Mapping[str, Any]) -> list[str]:
    """What an argument, or each item of it, may be; empty if that is not a list."""
    if "enum" in schema:
        return [*map(str, schema["enum"])]
    parts = [*schema.get("anyOf", ()), *([schema["items"]] if "items" in schema else [])]
    return [value for part in parts for value in _values(part)]
