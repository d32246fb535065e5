"""An event of a type, made of nothing but what the type declares."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from lpa_core.events.event_type import EventType
from lpa_core.events.model_from_columns import sources
from lpa_core.events.paths import PathStep, of_envelope, steps, steps_from_data
from lpa_core.events.row import own_columns
from lpa_core.tables.table import Kind

_TIME_MS: Final = 1_767_873_600_000
_TEXT: Final = "a"
_VALUES: Final[dict[Kind, Any]] = {
    **dict.fromkeys((Kind.TEXT, Kind.LABEL), _TEXT),
    **dict.fromkeys((Kind.FLOAT32, Kind.FLOAT64), 1.5),
    Kind.TIMESTAMP: _TIME_MS,
}


def example_event(event_type: EventType) -> dict[str, Any]:
    """A decoded event that has all required paths, and a value of its kind for each column that says where it is.

    What a shape or a validator wants beyond that is not in it.
    """
    data: dict[str, Any] = {}
    for path, value in _of_columns(event_type):
        _object(data, path)[path[-1].name] = value
    for path, value in _required(event_type):
        _object(data, path).setdefault(path[-1].name, value)
    return {
        "id": "an-example",
        "type": event_type.name,
        "timestamp": _TIME_MS,
        "gateway": "",
        "version": "1",
        "data": [data] if event_type.requires_items else data,
    }


def _required(event_type: EventType) -> Iterator[tuple[tuple[PathStep, ...], Any]]:
    for path in event_type.required:
        if path.startswith("data."):
            yield steps(path.removeprefix("data.")), _TEXT


def _of_columns(event_type: EventType) -> Iterator[tuple[tuple[PathStep, ...], Any]]:
    for table in event_type.tables:
        for column in own_columns(table):
            for path, _ in sources(column) if column.at is not None else ():
                if of_envelope(path) is None:
                    yield steps_from_data(path, table.each), _VALUES.get(column.kind, 1)
        for path, texts in table.one_of.items():
            if of_envelope(path) is None:
                yield steps_from_data(path, table.each), next(iter(texts))


def _object(data: dict[str, Any], path: tuple[PathStep, ...]) -> dict[str, Any]:
    """What holds the path's last attribute, made with the objects and arrays on the way to it."""
    for step in path[:-1]:
        if step.each:
            data = data.setdefault(step.name, [{}])[0]
        elif step.key:
            items = data.setdefault(step.name, [])
            found = next((item for item in items if item.get(step.key) == step.value), None)
            if found is None:
                items.append(found := {step.key: step.value})
            data = found
        else:
            data = data.setdefault(step.name, {})
    return data
