"""The fields of a model, be it a msgspec struct or an attrs class."""

from __future__ import annotations

import typing
from collections.abc import Iterator
from typing import Any, TypeGuard

import attrs
import msgspec


def is_model(annotation: object) -> TypeGuard[type[Any]]:
    """Whether it is a class of which msgspec makes objects."""
    return isinstance(annotation, type) and (issubclass(annotation, msgspec.Struct) or attrs.has(annotation))


def fields(model: type[Any]) -> Iterator[tuple[str, str, Any]]:
    """Of each field its attribute's name, its name in the JSON, and its annotation."""
    if issubclass(model, msgspec.Struct):
        for found in msgspec.structs.fields(model):
            yield found.name, found.encode_name, found.type
        return
    hints = typing.get_type_hints(model, include_extras=True)
    for attribute in attrs.fields(model):
        yield attribute.name, attribute.name, hints[attribute.name]


def replaced(value: Any, **changes: Any) -> Any:
    """A model's object with other values in some fields."""
    if isinstance(value, msgspec.Struct):
        return msgspec.structs.replace(value, **changes)
    return attrs.evolve(value, **changes)
