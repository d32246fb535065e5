"""Builds event models from JSON values that do not fit them.

A field takes what its rule (:mod:`lpa_core.events.coercion`) makes of the value found, or its default
where an object or array is expected and something else stands there.
"""

from __future__ import annotations

import functools
import types
import typing
from collections.abc import Callable
from typing import Any, TypeVar

from lpa_core.events.coercion import Unfit
from lpa_core.events.fields import fields, is_model
from lpa_core.events.noticed import of_missing

T = TypeVar("T")

Coercion = Callable[[Any, Unfit], Any]


@functools.cache  # a start makes a pipeline for each plugin, of mostly the same event types
def coercion_for(annotation: Any) -> Coercion:
    """The function that makes a value of the annotated type out of any JSON value.

    Understands structs, attrs classes, ``list[X]``, ``dict[str, X]``, unions of those and None, and leaves annotated
    with a rule. Raises TypeError for anything else: the model is wrong, not the data.
    """
    if is_model(annotation):
        return _object(annotation)
    origin = typing.get_origin(annotation)
    if origin is typing.Annotated:
        rules = [item for item in annotation.__metadata__ if callable(item)]
        if rules:
            return typing.cast(Coercion, rules[-1])
    if origin is list:
        return _array(coercion_for(typing.get_args(annotation)[0]))
    if origin is dict:
        return _mapping(coercion_for(typing.get_args(annotation)[1]))
    if origin is types.UnionType or origin is typing.Union:
        return _union(annotation)
    raise TypeError(f"no coercion for {annotation!r}: annotate the field with a type of lpa_core.events.model")


def _object(model: type[Any]) -> Coercion:
    rules = [
        (attribute, name, coercion_for(annotation), of_missing(annotation))
        for attribute, name, annotation in fields(model)
    ]

    def coerce(value: Any, unfit: Unfit) -> Any:
        found = _of_shape(dict, value, unfit)
        return model(**{attribute: rule(found.get(name, missing), unfit) for attribute, name, rule, missing in rules})

    return coerce


def _array(item: Coercion) -> Coercion:
    def coerce(value: Any, unfit: Unfit) -> Any:
        return [item(element, unfit) for element in _of_shape(list, value, unfit)]

    return coerce


def _mapping(item: Coercion) -> Coercion:
    def coerce(value: Any, unfit: Unfit) -> Any:
        return {key: item(element, unfit) for key, element in _of_shape(dict, value, unfit).items()}

    return coerce


def _union(annotation: Any) -> Coercion:
    """A union of one object, one array and null, in any combination: the value's own shape chooses."""
    by_shape: dict[type, Coercion] = {}
    nullable = False
    for member in typing.get_args(annotation):
        if member is type(None):
            nullable = True
        elif typing.get_origin(member) is list:
            by_shape[list] = coercion_for(member)
        else:
            by_shape[dict] = coercion_for(member)
    default = None if nullable else next(iter(by_shape.values()))

    def coerce(value: Any, unfit: Unfit) -> Any:
        rule = by_shape.get(type(value), default)
        if rule is None:
            unfit[0] += value is not None
            return None
        return rule(value, unfit)

    return coerce


def _of_shape(shape: type[T], value: Any, unfit: Unfit) -> T:
    """The value, or an empty one where something else stands, which counts."""
    if isinstance(value, shape):
        return value
    unfit[0] += value is not None
    return shape()
